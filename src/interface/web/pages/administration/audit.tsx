/** Who did what, when, and to what; the filter is the address. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef } from "react";
import { type AuditEntry, auditQuery } from "../../api/tools.ts";
import { Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field } from "../../parts/field.tsx";
import { focusHeading } from "../../parts/focus.ts";
import { More } from "../../parts/more.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/administration.css";

const route = getRouteApi("/inside/audit");
/** The words in front of the dots: what is done to what. */
const ACTIONS = [
  "login",
  "account",
  "token",
  "user",
  "domain",
  "finding",
  "key",
  "zone",
  "servers",
  "provider",
  "alert",
  "backup",
  "setup",
] as const;

export function AuditPage() {
  const { audit: t } = useTexts();
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const isLater = useRef(false);
  const form = useRef<HTMLFormElement>(null);
  const { actor, action, target } = filter;
  useEffect(() => {
    for (const [name, value] of Object.entries({ actor, action, target })) {
      const field = form.current?.elements.namedItem(name);
      if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) field.value = value ?? "";
    }
    // A link that led from one filter to the next is gone with what it stood in.
    if (isLater.current && document.activeElement === document.body)
      focusHeading(document.querySelector("main"));
    isLater.current = true;
  }, [actor, action, target]);
  const list = useInfiniteQuery(auditQuery(filter));
  const entries = list.data?.pages.flatMap((page) => page.entries) ?? [];
  const isFiltered = Object.keys(filter).length > 0;
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const said = (name: string) => {
      const value = String(data.get(name) ?? "").trim();
      return value === "" ? {} : { [name]: value };
    };
    void navigate({ search: { ...said("actor"), ...said("action"), ...said("target") } });
  };
  return (
    <Page title={t.title} lead={t.lead}>
      <form ref={form} className="card filter-form" aria-label={t.filter} onSubmit={submit}>
        <Field label={t.actor} name="actor" maxLength={100} />
        <div className="field">
          <label htmlFor="audit-action">{t.action}</label>
          <select id="audit-action" name="action">
            <option value="">{t.anyAction}</option>
            {ACTIONS.map((each) => (
              <option key={each} value={each}>
                {t.actions[each]}
              </option>
            ))}
            {filter.action && !ACTIONS.some((each) => each === filter.action) && (
              <option value={filter.action}>{filter.action}</option>
            )}
          </select>
        </div>
        <Field label={t.target} name="target" maxLength={300} />
        <div className="actions">
          <button type="submit" className="primary">
            {t.show}
          </button>
          {isFiltered && (
            <Link to="/audit" search={{}} className="button">
              {t.showAll}
            </Link>
          )}
        </div>
      </form>
      {list.isPending && <Loading />}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {list.data && entries.length === 0 && (
        <Empty title={t.none}>{isFiltered ? t.noneFiltered : t.noneHint}</Empty>
      )}
      {entries.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys
        <section className="card scroll" aria-label={t.title} tabIndex={0}>
          <table className="audit">
            <thead>
              <tr>
                <th scope="col">{t.when}</th>
                <th scope="col">{t.actor}</th>
                <th scope="col">{t.action}</th>
                <th scope="col">{t.target}</th>
                <th scope="col">{t.details}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <Entry key={entry.id} entry={entry} />
              ))}
            </tbody>
          </table>
        </section>
      )}
      <More list={list} />
    </Page>
  );
}

function Entry({ entry: { at, actor, address, action, target, details } }: { readonly entry: AuditEntry }) {
  const filter = route.useSearch();
  return (
    <tr>
      <td className="nowrap">
        <When at={at} show="exact" />
      </td>
      <td>
        <Link to="/audit" search={{ ...filter, actor }}>
          {actor}
        </Link>
        {address && <span className="hint"> {address}</span>}
      </td>
      <td>
        <code>{action}</code>
      </td>
      <td>
        <Link to="/audit" search={{ ...filter, target }}>
          {target}
        </Link>
      </td>
      <td className="hint details">
        {Object.entries(details)
          .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
          .join(" · ")}
      </td>
    </tr>
  );
}
