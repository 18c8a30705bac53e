/** A new pair: its algorithm, its name in DNS. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { answer, POST } from "../../api/client.ts";
import { keysChanged } from "../../api/keys.ts";
import { Field } from "../../parts/field.tsx";
import { focusHeading } from "../../parts/focus.ts";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { tell } from "../../parts/toast.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";

interface MakeKeyProps {
  readonly domain: string;
  readonly proposed: string;
  readonly isFirst: boolean;
}

export function MakeKey({ domain, proposed, isFirst }: MakeKeyProps) {
  const { make: t } = usePublishingTexts();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: (body: { selector: string; algorithm: "rsa" | "ed25519" }) =>
      answer(POST("/api/domains/{domain}/keys", { params: { path: { domain } }, body })),
    onSuccess: async ({ key: { selector } }) => {
      tell(t.made(selector));
      await keysChanged(client, domain);
      // The form may be another by now; what comes next is at the key.
      requestAnimationFrame(() =>
        focusHeading(document.querySelector(`article[aria-label="${CSS.escape(selector)}"]`)),
      );
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    make.mutate({
      selector: String(form.get("selector")).trim(),
      algorithm: form.get("algorithm") === "ed25519" ? "ed25519" : "rsa",
    });
  };
  const form = (
    <form onSubmit={submit}>
      <fieldset>
        <legend>{t.algorithm}</legend>
        {(["rsa", "ed25519"] as const).map((each) => (
          <label key={each} className="choice">
            <input type="radio" name="algorithm" value={each} defaultChecked={each === "rsa"} />
            <span>
              {t[each]} <span className="hint">{t[`${each}Hint`]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <Field
        key={proposed}
        label={t.selector}
        hint={t.selectorHint}
        name="selector"
        defaultValue={proposed}
        required
        maxLength={63}
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        fault={faultOf(make.error, "selector")}
      />
      {faultOf(make.error, "selector") === undefined && <Problem error={make.error} />}
      <button type="submit" className={isFirst ? "primary" : ""} disabled={make.isPending}>
        {t.go}
      </button>
    </form>
  );
  if (isFirst)
    return (
      <section className="card key-form">
        <h2>{t.title}</h2>
        {form}
      </section>
    );
  return (
    <details className="card key-form">
      <summary>{t.another}</summary>
      <p className="hint">{t.anotherHint}</p>
      {form}
    </details>
  );
}
