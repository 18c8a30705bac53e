/** Any record, put into words. */

import { useMutation } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { answer, POST } from "../../api/client.ts";
import type { Explanation } from "../../api/tools.ts";
import { TextField } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { Reference } from "../../parts/reference.tsx";
import { SEVERITIES, SeverityBadge } from "../../parts/severity.tsx";
import { useTexts } from "../../texts/texts.tsx";
import "../../style/domain.css";
import "../../style/tools.css";

export function ExplainPage() {
  const { explain: t } = useTexts();
  const explain = useMutation({
    mutationFn: (text: string) => answer(POST("/api/explain", { body: { text } })),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    explain.mutate(String(new FormData(event.currentTarget).get("text")));
  };
  const fault = faultOf(explain.error, "text");
  return (
    <Page title={t.title} lead={t.lead}>
      <section className="card tool">
        <form onSubmit={submit}>
          <TextField
            label={t.record}
            hint={t.hint}
            name="text"
            rows={4}
            required
            placeholder="v=spf1 mx -all"
            fault={fault}
          />
          {!fault && <Problem error={explain.error} />}
          <button type="submit" className="primary" disabled={explain.isPending}>
            {t.explain}
          </button>
        </form>
        {explain.data && <Explained explanation={explain.data} />}
      </section>
    </Page>
  );
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function Explained({ explanation: { title, terms, remarks } }: { readonly explanation: Explanation }) {
  const { explain: t } = useTexts();
  return (
    <div className="diagnosis" role="status">
      <h2 lang="en">{title}</h2>
      <dl className="terms" lang="en">
        {terms.map(({ text: term, meaning }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a term may stand there twice, and none ever moves
          <div key={at}>
            <dt>
              <code>{term}</code>
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      {remarks.length === 0 && <p className="note note-ok">{t.noRemarks}</p>}
      <ul className="remarks">
        {remarks.map((remark, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: as above
          <li key={at}>
            <SeverityBadge severity={SEVERITIES.find((each) => each === remark.severity) ?? "notice"} />
            <span lang="en">
              {remark.message}{" "}
              {text(remark["reference"]) !== undefined && <Reference text={text(remark["reference"])!} />}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
