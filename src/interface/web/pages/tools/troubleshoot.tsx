/** From what goes wrong, or from what came back, to the cause and its fix. */
import { useMutation } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { answer, POST } from "../../api/client.ts";
import { readSteps, useJob } from "../../api/job.ts";
import { mayChange, useSession } from "../../api/session.ts";
import { type Diagnosis, SYMPTOMS, type Symptom } from "../../api/tools.ts";
import { Busy } from "../../parts/busy.tsx";
import { DomainField } from "../../parts/domain-field.tsx";
import { Page } from "../../parts/page.tsx";
import { Problem } from "../../parts/problem.tsx";
import { SeverityShape } from "../../parts/severity.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { PlainFindingCard } from "../domain/finding-card.tsx";
import { Pasted } from "./pasted.tsx";
import "../../style/domain.css";
import "../../style/tools.css";

const route = getRouteApi("/inside/troubleshoot");

export function TroubleshootPage() {
  const { troubleshoot: t } = useTexts();
  const { domain, symptom } = route.useSearch();
  const session = useSession();
  return (
    <Page title={t.title} lead={t.lead}>
      {mayChange(session) ? (
        <BySymptom key={`${domain} ${symptom}`} domain={domain ?? ""} symptom={symptom} />
      ) : (
        <p className="note">{t.readerHint}</p>
      )}
      <Pasted />
    </Page>
  );
}

function BySymptom({
  domain: given,
  symptom: first,
}: {
  readonly domain: string;
  readonly symptom: Symptom | undefined;
}) {
  const { troubleshoot: t } = useTexts();
  const [domain, setDomain] = useState(given);
  const begin = useMutation({
    mutationFn: (asked: { readonly domain: string; readonly symptom: Symptom }) =>
      answer(
        POST("/api/domains/{domain}/troubleshoot", {
          params: { path: { domain: asked.domain } },
          body: { symptom: asked.symptom },
        }),
      ),
  });
  const job = useJob(begin.data?.job);
  const isUnderWay = begin.isPending || job?.state === "running";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const symptom = SYMPTOMS.find((each) => each === new FormData(event.currentTarget).get("symptom"));
    if (symptom) begin.mutate({ domain: domain.trim(), symptom });
  };
  const failure = job?.state === "failed" ? (job.result as { what?: string }).what : undefined;
  return (
    <section className="card tool">
      <h2>{t.bySymptom}</h2>
      <form onSubmit={submit}>
        <DomainField label={t.domain} value={domain} onValue={setDomain} />
        <fieldset className="symptoms">
          <legend className="label">{t.question}</legend>
          {SYMPTOMS.map((each) => (
            <label key={each} className="symptom">
              <input type="radio" name="symptom" value={each} required defaultChecked={each === first} />
              <span>
                <span className="label">{t.symptoms[each].name}</span>
                <span className="hint">{t.symptoms[each].about}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <button type="submit" className="primary" disabled={isUnderWay}>
          {t.begin}
        </button>
      </form>
      <Problem error={begin.error} />
      {isUnderWay && <Busy text={t.looking} progress={readSteps(job?.progress)} />}
      {job?.state === "gone" && <p className="hint">{t.gone}</p>}
      {failure && (
        <p className="fault" role="alert" lang="en">
          {failure}
        </p>
      )}
      {job?.state === "done" && begin.variables && (
        <Diagnosed domain={begin.variables.domain} diagnosis={job.result as Diagnosis} />
      )}
    </section>
  );
}

const SHAPES = { fine: "ok", cause: "error", unknown: "unknown", "not-run": "unchecked" } as const;

function Diagnosed({
  domain,
  diagnosis: { steps, cause },
}: {
  readonly domain: string;
  readonly diagnosis: Diagnosis;
}) {
  const { troubleshoot: t } = useTexts();
  const untold = steps.flatMap(({ state, finding }) => (state === "unknown" && finding ? [finding] : []));
  const verdict = cause ? t.cause : untold.length > 0 ? t.untold : t.nothing;
  return (
    <div className="diagnosis" role="status">
      <ol className="steps" aria-label={t.steps}>
        {steps.map(({ title, state }) => (
          <li key={title} className={`step step-${state}`}>
            <SeverityShape severity={SHAPES[state]} />
            <span lang="en">{title}</span>
            <span className="hint">{t.states[state]}</span>
          </li>
        ))}
      </ol>
      <p className={`note ${cause ? "note-warning" : untold.length > 0 ? "" : "note-ok"}`}>{verdict}</p>
      {(cause ? [cause] : untold).map((finding) => (
        <PlainFindingCard key={`${finding.code} ${finding.owner}`} finding={finding} />
      ))}
      <p>
        <Link to="/domains/$domain" params={{ domain }} search={{}}>
          {t.toDomain(domain)}
        </Link>
      </p>
    </div>
  );
}
