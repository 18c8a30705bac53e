/** What a domain is meant to be: changed, given to somebody, taken out. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { answer, DELETE, POST, PUT } from "../../api/client.ts";
import { type DescribedDomain, domainChanged } from "../../api/domains.ts";
import { isProblem } from "../../api/problem.ts";
import { isAdministrator, mayChange, useSession } from "../../api/session.ts";
import { usersQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { DescribedForm } from "../../parts/described-form.tsx";
import { Field, SelectField } from "../../parts/field.tsx";
import { Problem } from "../../parts/problem.tsx";
import { tell } from "../../parts/toast.tsx";
import { When } from "../../parts/when.tsx";
import { useDescriptionTexts } from "../../texts/description.ts";
import { useTexts } from "../../texts/texts.tsx";
import {
  contentWith,
  type DescribedFields,
  fieldsOf,
  MODES,
  POLICIES,
  SHOWN_KEYS,
} from "./described-fields.ts";
import "../../style/administration.css";
import "../../style/description.css";

const moreIn = (content: DescribedDomain["content"]) =>
  Object.keys(content).filter((key) => !SHOWN_KEYS.includes(key));

/** `described`: the newest that is known. */
export function DescriptionView({ described }: { readonly described: DescribedDomain }) {
  const t = useDescriptionTexts();
  const { described: words } = useTexts();
  const session = useSession();
  const file = session?.descriptionFile ?? undefined;
  const isEditable = mayChange(session) && file === undefined;
  return (
    <section className="description" aria-label={t.title}>
      {file !== undefined ? (
        <p className="note">{words.byFile(file)}</p>
      ) : (
        !isEditable && <p className="note">{t.readOnly}</p>
      )}
      <div className="card stack">
        <p className="hint">{t.lead}</p>
        {isEditable ? <Edit described={described} /> : <Shown described={described} />}
      </div>
      {isAdministrator(session) && <Owner described={described} />}
      {isAdministrator(session) && file === undefined && <Remove described={described} />}
    </section>
  );
}

function Shown({ described: { domain, content, changedAt } }: { readonly described: DescribedDomain }) {
  const t = useDescriptionTexts();
  const { described: words } = useTexts();
  const { receives, sends, policy, reports, mode, tlsReports } = fieldsOf(content, domain);
  const facts = [
    [t.receives, receives ? t.yes : t.no],
    [t.sends, sends ? t.yes : t.no],
    [t.policy, t.policies[policy]],
    [t.reports, reports || t.nobody],
    [t.mode, t.modes[mode]],
    [t.tlsReports, tlsReports || t.nobody],
  ] as const;
  return (
    <>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>{t.whole}</summary>
        <pre className="block">{JSON.stringify(content, null, 2)}</pre>
      </details>
      <p className="hint">
        {words.changed} <When at={changedAt} show="both" />
      </p>
    </>
  );
}

function Edit({ described }: { readonly described: DescribedDomain }) {
  const t = useDescriptionTexts();
  const client = useQueryClient();
  const { domain } = described;
  const more = moreIn(described.content);
  return (
    <DescribedForm
      newest={described}
      formOf={(content) => fieldsOf(content, domain)}
      contentOf={(content, fields) => contentWith(content, fields, domain)}
      put={(content, revision) =>
        answer(PUT("/api/domains/{domain}", { params: { path: { domain } }, body: { content, revision } }))
      }
      read={() => domainChanged(client, domain)}
      place="domains[0]."
      words={t}
      next={
        <div className="note note-ok" role="status">
          <p>{t.next}</p>
          <div className="actions">
            <Link to="/domains/$domain" params={{ domain }} search={{ view: "records" }} className="button">
              {t.toRecords}
            </Link>
            <Link to="/domains/$domain/publish" params={{ domain }} className="button">
              {t.toPublish}
            </Link>
          </div>
        </div>
      }
    >
      {(fields, change, faultOf) => (
        <>
          <Fields
            fields={fields}
            hasMtaSts={described.content["mtaSts"] !== undefined}
            onChange={change}
            faultOf={faultOf}
          />
          {more.length > 0 && <p className="hint">{t.more(more.join(", "))}</p>}
        </>
      )}
    </DescribedForm>
  );
}

interface FieldsProps {
  readonly fields: DescribedFields;
  /** Senders may know of a policy. */
  readonly hasMtaSts: boolean;
  readonly onChange: (fields: DescribedFields) => void;
  readonly faultOf: (place: string) => string | undefined;
}

function Fields({ fields, hasMtaSts, onChange, faultOf }: FieldsProps) {
  const t = useDescriptionTexts();
  const { receives, sends, policy, reports, mode, tlsReports } = fields;
  const change = (part: Partial<DescribedFields>) => onChange({ ...fields, ...part });
  return (
    <div className="described-fields">
      <Check
        label={t.receives}
        hint={t.receivesHint}
        isChecked={receives}
        onChange={(next) => change({ receives: next })}
        fault={faultOf("receives") ?? faultOf("mx")}
      />
      <Check
        label={t.sends}
        hint={t.sendsHint}
        isChecked={sends}
        onChange={(next) => change({ sends: next })}
        fault={faultOf("sends") ?? faultOf("dkim")}
      />
      <SelectField
        label={t.policy}
        hint={t.policyHint}
        value={policy}
        onChange={({ target }) =>
          change({ policy: POLICIES.find((each) => each === target.value) ?? policy })
        }
        fault={faultOf("dmarc.policy")}
      >
        {POLICIES.map((each) => (
          <option key={each} value={each}>
            {t.policies[each]}
          </option>
        ))}
      </SelectField>
      <Field
        label={t.reports}
        hint={t.reportsHint}
        value={reports}
        onChange={({ target }) => change({ reports: target.value })}
        autoCapitalize="none"
        spellCheck={false}
        fault={faultOf("dmarc.reports")}
      />
      <SelectField
        label={t.mode}
        hint={hasMtaSts && mode === "off" ? t.modeOffHint : t.modeHint}
        value={mode}
        onChange={({ target }) => change({ mode: MODES.find((each) => each === target.value) ?? mode })}
        fault={faultOf("mtaSts") ?? faultOf("mtaSts.mode")}
      >
        {MODES.map((each) => (
          <option key={each} value={each}>
            {t.modes[each]}
          </option>
        ))}
      </SelectField>
      <Field
        label={t.tlsReports}
        hint={t.tlsReportsHint}
        value={tlsReports}
        onChange={({ target }) => change({ tlsReports: target.value })}
        autoCapitalize="none"
        spellCheck={false}
        fault={faultOf("tlsReports")}
      />
    </div>
  );
}

function Check({
  label,
  hint,
  isChecked,
  onChange,
  fault,
}: {
  readonly label: string;
  readonly hint: string;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
  readonly fault: string | undefined;
}) {
  const id = useId();
  return (
    <div>
      <label className="check">
        <input
          type="checkbox"
          checked={isChecked}
          onChange={({ target }) => onChange(target.checked)}
          aria-describedby={`${id}-hint${fault === undefined ? "" : ` ${id}-fault`}`}
          {...(fault !== undefined && { "aria-invalid": true })}
        />
        <span className="label">{label}</span>
      </label>
      <p className="hint" id={`${id}-hint`}>
        {hint}
      </p>
      {fault !== undefined && (
        <p className="fault" id={`${id}-fault`} role="alert" lang="en">
          {fault}
        </p>
      )}
    </div>
  );
}

/** In place of an id, where it is nobody's in particular. */
const ADMINISTRATORS = "";

function Owner({ described: { domain, ownerId, revision } }: { readonly described: DescribedDomain }) {
  const t = useDescriptionTexts();
  const client = useQueryClient();
  const users = useQuery(usersQuery);
  const now = ownerId ?? ADMINISTRATORS;
  const [chosen, setChosen] = useState<string>();
  const put = ({ to, at }: { readonly from?: string; readonly to: string; readonly at: number }) =>
    answer(
      PUT("/api/domains/{domain}/owner", {
        params: { path: { domain } },
        body: { ownerId: to === ADMINISTRATORS ? null : to, revision: at },
      }),
    );
  const read = () => domainChanged(client, domain);
  const nameOf = (id: string) => users.data?.users.find((user) => user.id === id)?.name ?? id;
  const undo = useMutation({ mutationFn: put, onSuccess: read, onError: (error) => tell(error.message) });
  const give = useMutation({
    mutationFn: put,
    onSuccess: async ({ revision: after }, { from = ADMINISTRATORS, to }) => {
      tell(to === ADMINISTRATORS ? t.handedBack : t.handedOver(nameOf(to)), () =>
        undo.mutate({ to: from, at: after }),
      );
      await read();
      setChosen(undefined);
    },
    onError: (error) => isProblem(error, "stale") && read(),
  });
  const owners = users.data?.users.filter(({ id, role, disabledAt }) => {
    return id === now || (role === "owner" && disabledAt === null);
  });
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        // The button is of no use then.
        event.currentTarget.querySelector("select")?.focus();
        if (chosen !== undefined) give.mutate({ from: now, to: chosen, at: revision });
      }}
    >
      <h2>{t.owner}</h2>
      {users.isPending && <Loading />}
      <Problem error={users.error} onRetry={() => void users.refetch()} />
      {owners && (
        <>
          <SelectField
            label={t.ownerLabel}
            hint={t.ownerHint}
            value={chosen ?? now}
            onChange={({ target }) => setChosen(target.value)}
          >
            <option value={ADMINISTRATORS}>{t.administrators}</option>
            {owners.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </SelectField>
          <Problem error={give.error} />
          <button type="submit" disabled={give.isPending || (chosen ?? now) === now}>
            {t.handOver}
          </button>
        </>
      )}
    </form>
  );
}

function Remove({ described }: { readonly described: DescribedDomain }) {
  const { domain } = described;
  const t = useDescriptionTexts();
  const client = useQueryClient();
  const navigate = useNavigate();
  const bringBack = useMutation({
    mutationFn: ({ content, ownerId }: DescribedDomain) =>
      answer(POST("/api/domains", { body: { domain, content, ...(ownerId !== null && { ownerId }) } })),
    onSuccess: async () => {
      await domainChanged(client, domain);
      tell(t.broughtBack(domain));
    },
    onError: (error) => tell(error.message),
  });
  const remove = useMutation({
    mutationFn: ({ revision }: DescribedDomain) =>
      answer(DELETE("/api/domains/{domain}", { params: { path: { domain }, query: { revision } } })),
    onSuccess: async (_, was) => {
      tell(t.removed(domain), () => bringBack.mutate(was));
      await navigate({ to: "/" });
      client.removeQueries({ queryKey: ["domain", domain] });
      await domainChanged(client, domain);
    },
    onError: (error) => isProblem(error, "stale") && domainChanged(client, domain),
  });
  return (
    <section className="card stack">
      <h2>{t.remove}</h2>
      <p className="hint">{t.removeHint}</p>
      <Problem error={remove.error} />
      <button type="button" disabled={remove.isPending} onClick={() => remove.mutate(described)}>
        {t.removeGo(domain)}
      </button>
    </section>
  );
}
