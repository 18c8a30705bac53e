import { Link } from "@tanstack/react-router";
import { Page } from "../parts/page.tsx";
import { useTexts } from "../texts/texts.tsx";

export function NotFoundPage() {
  const { notFound: t } = useTexts();
  return (
    <Page title={t.title} lead={t.lead} width="narrow">
      <p>
        <Link to="/">{t.back}</Link>
      </p>
    </Page>
  );
}
