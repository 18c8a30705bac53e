/** Where a page could not be shown at all. */
import type { ErrorComponentProps } from "@tanstack/react-router";
import { Page } from "../parts/page.tsx";
import { Problem } from "../parts/problem.tsx";
import { useTexts } from "../texts/texts.tsx";

export function RouteProblem({ error }: ErrorComponentProps) {
  const { problem: t } = useTexts();
  return (
    <Page title={t.title} width="narrow">
      <Problem error={error} onRetry={() => window.location.reload()} />
    </Page>
  );
}
