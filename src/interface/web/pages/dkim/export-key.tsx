/** The files of a signing program, for who shows the password again. */
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { answer, POST } from "../../api/client.ts";
import type { Key } from "../../api/keys.ts";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Field } from "../../parts/field.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";

const PROGRAMS = ["opendkim", "rspamd", "amavisd", "dkimpy", "pem"] as const;
type Program = (typeof PROGRAMS)[number];

interface File {
  readonly path: string;
  readonly content: string;
  readonly isPrivate: boolean;
}

function save({ path, content }: File): void {
  const url = URL.createObjectURL(new Blob([content], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = path.slice(path.lastIndexOf("/") + 1);
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function ExportKey({
  domain,
  item: { selector, state },
}: {
  readonly domain: string;
  readonly item: Key;
}) {
  const { exportKey: t } = usePublishingTexts();
  const id = useId();
  const show = useMutation({
    mutationFn: (body: { format: Program; folder: string; password: string }) =>
      answer(
        POST("/api/domains/{domain}/keys/{selector}/export", {
          params: { path: { domain, selector } },
          body,
        }),
      ),
    // Nothing of it stays in memory longer than it is shown.
    gcTime: 0,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = (name: string) => String(new FormData(form).get(name));
    show.mutate(
      { format: text("format") as Program, folder: text("folder").trim(), password: text("password") },
      { onSuccess: () => form.reset() },
    );
  };
  const command = `zonepost keys export ${domain} --selector ${selector} --format opendkim --output /etc/dkimkeys`;
  return (
    <details className="key-fold" onToggle={({ currentTarget }) => currentTarget.open || show.reset()}>
      <summary>{t.title}</summary>
      <p>{t.lead}</p>
      {["prepared", "published"].includes(state) && <p className="note">{t.early}</p>}
      {show.data === undefined ? (
        <form onSubmit={submit} className="export-form">
          <div className="field">
            <label htmlFor={id}>{t.program}</label>
            <select id={id} name="format">
              {PROGRAMS.map((each) => (
                <option key={each} value={each}>
                  {t.programs[each]}
                </option>
              ))}
            </select>
          </div>
          <Field
            label={t.folder}
            name="folder"
            defaultValue="/etc/dkimkeys"
            required
            maxLength={500}
            spellCheck={false}
            fault={faultOf(show.error, "folder")}
          />
          <Field
            label={t.password}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            fault={faultOf(show.error, "password")}
          />
          {!["folder", "password"].some((field) => faultOf(show.error, field)) && (
            <Problem error={show.error} />
          )}
          <button type="submit" disabled={show.isPending}>
            {t.go}
          </button>
        </form>
      ) : (
        <div className="exported">
          <ul>
            {show.data.files.map((file) => (
              <li key={file.path}>
                <p className="copyable">
                  <code>{file.path}</code>
                  {file.isPrivate && <strong className="hint">{t.secret}</strong>}
                  <button
                    type="button"
                    className="copy"
                    onClick={() => save(file)}
                    aria-label={`${t.save} ${file.path}`}
                  >
                    {t.save}
                  </button>
                  {!file.isPrivate && <CopyButton text={file.content} what={file.path} />}
                </p>
                {!file.isPrivate && <pre className="block">{file.content}</pre>}
              </li>
            ))}
          </ul>
          <ul className="hint notes" lang="en">
            {show.data.notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
          <button type="button" onClick={() => show.reset()}>
            {t.hide}
          </button>
        </div>
      )}
      <p className="hint">{t.byCommand}</p>
      <p className="copyable">
        <code>{command}</code> <CopyButton text={command} what={t.command} />
      </p>
    </details>
  );
}
