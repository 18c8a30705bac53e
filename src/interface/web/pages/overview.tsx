/** What needs doing now, the worst first. */
import { useQuery } from "@tanstack/react-query";
import { answer, GET } from "../api/client.ts";
import { Loading } from "../parts/busy.tsx";
import { Page } from "../parts/page.tsx";
import { Problem } from "../parts/problem.tsx";
import { SeverityBadge } from "../parts/severity.tsx";
import { useTexts } from "../texts/texts.tsx";

export function OverviewPage() {
  const { overview: t } = useTexts();
  const list = useQuery({ queryKey: ["domains"], queryFn: () => answer(GET("/api/domains")) });
  return (
    <Page title={t.title}>
      {list.isPending && <Loading />}
      <Problem error={list.error} onRetry={() => void list.refetch()} />
      <ul>
        {list.data?.domains.map(({ domain, worst }) => (
          <li key={domain}>
            <SeverityBadge severity={worst ?? "unchecked"} /> {domain}
          </li>
        ))}
      </ul>
    </Page>
  );
}
