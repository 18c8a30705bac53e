/** `zonepost keys import` and `zonepost keys export`: keys from, and for, the files of signing programs. */
import { type ExportFormat, exportKeys } from "../../keys/export.ts";
import { type DkimKey, newKey } from "../../keys/key.ts";
import { isKeyFileName, keyNameOfFile } from "../../keys/key-file-name.ts";
import type { KeyName } from "../../keys/key-name.ts";
import { keyOwner } from "../../keys/key-record-shapes.ts";
import { readPrivateKey } from "../../keys/private-text.ts";
import { sealKey } from "../../keys/sealing.ts";
import { keyPathsOf } from "../../records/signer/key-path.ts";
import { readSigner, recognizeSigner } from "../../records/signer/read-signer.ts";
import { describeDkimKey, sameDkimKey } from "../../standards/dkim/public-key.ts";
import { readDomain, readFileNamed, readSelector } from "./argument.ts";
import { EXIT, type ExitCode, UsageError } from "./exit-code.ts";
import { type KeysOptions, keyFacts, keysOf, type OpenedKeys, openKey, withKeys } from "./keys-state.ts";
import { tellProblems, tryRead } from "./signer.ts";
import { visible, wrap } from "./terminal.ts";
import type { Tools } from "./tools.ts";

export interface ImportKeysOptions extends KeysOptions {
  readonly domain?: string;
  readonly selector?: string;
}

type Outcome = "imported" | "known" | "refused";
interface ImportResult {
  readonly path: string;
  readonly outcome: Outcome;
  readonly detail: string;
  readonly key?: DkimKey;
}

export async function runKeysImport(
  paths: readonly string[],
  options: ImportKeysOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const fallback: Partial<KeyName> = {
      ...(options.domain !== undefined && { signingDomain: readDomain(options.domain) }),
      ...(options.selector !== undefined && { dkimSelector: readSelector(options.selector) }),
    };
    const results: ImportResult[] = [];
    for (const path of paths) results.push(...(await importPath(path, fallback, opened, tools)));
    if (results.length === 0) {
      throw new UsageError("no file there ends in .pem, .private or .key; name the files themselves");
    }
    const { terminal } = tools;
    if (options.json) {
      const facts = results.map(({ key, ...rest }) => ({ ...rest, ...(key && { key: keyFacts(key) }) }));
      terminal.out(`${JSON.stringify(facts, null, 2)}\n`);
    } else {
      const { style } = terminal;
      const mark = { imported: style.green("✓"), known: style.dim("·"), refused: style.red("✗") };
      for (const { path, outcome, detail } of results) {
        terminal.out(`${mark[outcome]} ${visible(path)}: ${visible(detail)}\n`);
      }
      if (results.some(({ outcome }) => outcome === "imported")) {
        terminal.out("zonepost keys rotate holds them against DNS, and says which may sign.\n");
      }
    }
    return results.some(({ outcome }) => outcome === "refused") ? EXIT.errors : EXIT.ok;
  });
}

/** A folder of keys, a signing program's configuration with all the keys that it names, or one key. */
async function importPath(
  path: string,
  fallback: Partial<KeyName>,
  opened: OpenedKeys,
  tools: Tools,
): Promise<readonly ImportResult[]> {
  const files = tools.listFiles(path)?.filter(isKeyFileName);
  if (files !== undefined) {
    const wholes = files.map((file) => `${path.replace(/\/+$/, "")}/${file}`);
    return importFiles(
      wholes.map((whole) => [whole, keyNameOfFile(whole, fallback)]),
      opened,
      tools,
    );
  }
  const text = readFileNamed(path, tools);
  const isConfiguration = !text.includes("PRIVATE KEY-----") && recognizeSigner(path, text) !== undefined;
  return isConfiguration
    ? importConfiguration(path, text, opened, tools)
    : importFiles([[path, keyNameOfFile(path, fallback)]], opened, tools);
}

/** One after the other: the second of two that have one name is refused. */
async function importFiles(
  named: readonly (readonly [path: string, name: KeyName | undefined])[],
  opened: OpenedKeys,
  tools: Tools,
): Promise<readonly ImportResult[]> {
  const results: ImportResult[] = [];
  for (const [path, name] of named) results.push(await importFile(path, name, opened, tools));
  return results;
}

async function importConfiguration(
  path: string,
  text: string,
  opened: OpenedKeys,
  tools: Tools,
): Promise<readonly ImportResult[]> {
  const read = readSigner(path, text, (file) => tryRead(file, tools));
  if (!read.ok) throw new UsageError(`${path}: ${read.problem}`);
  tellProblems(read.value, tools);
  const { paths, unnamed } = keyPathsOf(read.value);
  return [
    ...unnamed.map(({ place, problem }): ImportResult => {
      return { path: `${place.path}:${place.line}`, outcome: "refused", detail: problem };
    }),
    ...(await importFiles(
      paths
        .filter(({ file, isOptional }) => !isOptional || tools.fileExists(file))
        .map(({ file, signingDomain, dkimSelector }) => [file, { signingDomain, dkimSelector }]),
      opened,
      tools,
    )),
  ];
}

async function importFile(
  path: string,
  name: KeyName | undefined,
  { store, sealKey: master }: OpenedKeys,
  tools: Tools,
): Promise<ImportResult> {
  const refused = (detail: string): ImportResult => ({ path, outcome: "refused", detail });
  if (name === undefined)
    return refused("its name does not say whose key it is; name --domain and --selector");
  const file = tryRead(path, tools);
  if (file.status !== "read") return refused(file.problem);
  const read = readPrivateKey(file.text);
  if (!read.ok) return refused(read.problem);
  const { publicKey, privateKey } = read.value;
  if (publicKey.keyType === "rsa" && publicKey.modulusBits < 1024) {
    return refused(
      `verifiers refuse RSA keys of ${publicKey.modulusBits} bits (RFC 8301 §3.2): make a new one`,
    );
  }
  const known = await store.get(name);
  if (known !== undefined && sameDkimKey(known.publicKey, publicKey)) {
    return { path, outcome: "known", detail: `${keyOwner(known)} is kept already`, key: known };
  }
  const taken = `${name.dkimSelector}._domainkey.${name.signingDomain} is taken by another key, and keys are never overwritten`;
  if (known !== undefined) return refused(taken);
  const key = newKey(
    name,
    publicKey,
    sealKey(privateKey, name, await master(), tools.randomOctets),
    tools.now(),
  );
  if ((await store.put(key)) === "taken") return refused(taken);
  return { path, outcome: "imported", detail: `${keyOwner(key)}, ${describeDkimKey(publicKey)}`, key };
}

export interface ExportKeysOptions extends KeysOptions {
  readonly format: ExportFormat;
  readonly output: string;
  readonly installedAt?: string;
  readonly selector?: string;
  readonly force?: boolean;
}

/** The keys that sign; others only where they are named. */
export async function runKeysExport(
  names: readonly string[],
  options: ExportKeysOptions,
  tools: Tools,
): Promise<ExitCode> {
  return withKeys(options, tools, async (opened) => {
    const wanted = options.selector === undefined ? undefined : readSelector(options.selector);
    const keys = (await keysOf(names, opened)).filter(({ state, dkimSelector }) =>
      wanted === undefined ? state === "signing" : dkimSelector === wanted,
    );
    if (keys.length === 0) {
      throw new UsageError(
        wanted === undefined
          ? "no key may sign yet: zonepost keys rotate says what is missing (a key that DNS does not show yet is exported with --selector)"
          : `there is no key "${wanted}"`,
      );
    }
    const master = await opened.sealKey();
    const entries = keys.map((key) => ({ key, privateKey: openKey(key, master) }));
    const folder = options.output.replace(/(?<=.)\/+$/, "");
    const made = exportKeys(entries, options.format, options.installedAt ?? folder);
    if (!made.ok)
      throw new UsageError(`${made.problem}; --installed-at names the folder where they will lie`);
    const { files, notes } = made.value;
    if (!options.force) {
      const there = files.find(({ path }) => tools.fileExists(`${folder}/${path}`));
      if (there !== undefined)
        throw new UsageError(`${folder}/${there.path} is there already; --force overwrites it`);
    }
    for (const { path, content } of files) {
      tools.writePrivateFile(`${folder}/${path}`, content, { overwrite: options.force ?? false });
    }
    const { terminal } = tools;
    if (options.json) {
      const paths = files.map(({ path, isPrivate }) => ({ path: `${folder}/${path}`, isPrivate }));
      terminal.out(`${JSON.stringify({ files: paths, keys: keys.map(keyFacts), notes }, null, 2)}\n`);
      return EXIT.ok;
    }
    for (const { path } of files) terminal.out(`${visible(`${folder}/${path}`)}\n`);
    for (const note of notes) terminal.err(`${wrap(visible(`Note: ${note}.`), terminal.columns)}\n`);
    const early = keys.filter(({ state }) => state !== "signing");
    for (const key of early) terminal.err(`${keyOwner(key)} is ${key.state}: do not sign with it yet.\n`);
    return EXIT.ok;
  });
}
