/** A private key that exists already, taken in. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useId } from "react";
import { answer, POST } from "../../api/client.ts";
import { keysChanged } from "../../api/keys.ts";
import { Field } from "../../parts/field.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { tell } from "../../parts/toast.tsx";
import { usePublishingTexts } from "../../texts/publishing.ts";

export function ImportKey({ domain }: { readonly domain: string }) {
  const { importKey: t } = usePublishingTexts();
  const client = useQueryClient();
  const id = useId();
  const take = useMutation({
    mutationFn: (body: { selector: string; privateKey: string }) =>
      answer(POST("/api/domains/{domain}/keys/import", { params: { path: { domain } }, body })),
    onSuccess: async ({ key: { selector } }) => {
      tell(t.done(selector));
      await keysChanged(client, domain);
    },
    // The key does not stay in memory.
    gcTime: 0,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    take.mutate(
      { selector: String(data.get("selector")).trim(), privateKey: String(data.get("privateKey")) },
      { onSuccess: () => form.reset() },
    );
  };
  const faults = ["selector", "privateKey"].map((field) => faultOf(take.error, field));
  return (
    <details className="card key-form">
      <summary>{t.title}</summary>
      <p className="hint">{t.lead}</p>
      <form onSubmit={submit} autoComplete="off">
        <Field
          label={t.selector}
          hint={t.selectorHint}
          name="selector"
          required
          maxLength={253}
          autoCapitalize="none"
          spellCheck={false}
          fault={faults[0]}
        />
        <div className="field">
          <label htmlFor={id}>{t.pem}</label>
          <textarea
            id={id}
            className="text"
            name="privateKey"
            rows={6}
            required
            maxLength={20_000}
            spellCheck={false}
            placeholder={"-----BEGIN PRIVATE KEY-----"}
            {...(faults[1] && { "aria-invalid": true, "aria-describedby": `${id}-fault` })}
          />
          {faults[1] && (
            <p className="fault" role="alert" id={`${id}-fault`} lang="en">
              {faults[1]}
            </p>
          )}
        </div>
        {!faults.some(Boolean) && <Problem error={take.error} />}
        <button type="submit" disabled={take.isPending}>
          {t.go}
        </button>
      </form>
    </details>
  );
}
