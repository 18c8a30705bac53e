/** Whose keys: the first step on the way to a signature. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, Navigate } from "@tanstack/react-router";
import { useDeferredValue, useState } from "react";
import { domainListQuery } from "../../api/domains.ts";
import { Loading } from "../../parts/busy.tsx";
import { Empty } from "../../parts/empty.tsx";
import { Field } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";
import "../../style/dkim.css";

const SHOWN = 60;

export function ChooseKeysPage() {
  const { choose: t } = usePublishingTexts();
  const [text, setText] = useState("");
  const search = useDeferredValue(text.trim());
  const list = useInfiniteQuery(domainListQuery(search === "" ? {} : { search }));
  const found = list.data?.pages[0]?.domains ?? [];
  const hasOne = search === "" && found.length === 1 && !list.hasNextPage;
  // With one domain there is nothing to choose.
  if (hasOne) return <Navigate to="/domains/$domain/dkim" params={{ domain: found[0]!.domain }} replace />;
  const isEmpty = search === "" && list.isSuccess && found.length === 0;
  return (
    <Page title={t.title} lead={t.lead} width="narrow">
      {isEmpty ? (
        <Empty title={t.noneAtAll}>{t.noneHint}</Empty>
      ) : (
        <Field
          label={t.search}
          type="search"
          value={text}
          onChange={({ target }) => setText(target.value)}
          autoCapitalize="none"
          spellCheck={false}
        />
      )}
      {list.isPending && <Loading />}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      {search !== "" && list.isSuccess && found.length === 0 && <Empty title={t.none}>{search}</Empty>}
      {found.length > 0 && (
        <ul className="choose" aria-label={t.list}>
          {found.slice(0, SHOWN).map(({ domain, worst }) => (
            <li key={domain}>
              <Link to="/domains/$domain/dkim" params={{ domain }}>
                <SeverityShape severity={worst ?? "unchecked"} />
                {domain}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {(found.length > SHOWN || list.hasNextPage) && <p className="hint">{t.more(SHOWN)}</p>}
    </Page>
  );
}
