/** The first administrator, made by who holds the link that the server has printed. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { answer, GET, POST } from "../api/client.ts";
import { begin } from "../api/session.ts";
import { Loading } from "../parts/busy.tsx";
import { Field } from "../parts/field.tsx";
import { Page } from "../parts/page.tsx";
import { faultOf, Problem } from "../parts/problem.tsx";
import { useTexts } from "../texts/texts.tsx";
import "../style/entrance.css";

export function SetupPage() {
  const { setup: t, login } = useTexts();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [secret] = useState(() => decodeURIComponent(window.location.hash.slice(1)));
  const state = useQuery({
    queryKey: ["setup"],
    queryFn: ({ signal }) => answer(GET("/api/setup", { signal })),
  });
  const setUp = useMutation({
    mutationFn: async (account: { name: string; password: string }) => {
      await answer(POST("/api/setup", { body: { secret, ...account } }));
      const { csrfToken } = await answer(POST("/api/login", { body: account }));
      await begin(client, csrfToken);
    },
    onSuccess: () => navigate({ to: "/" }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    setUp.mutate({ name: String(form.get("name")), password: String(form.get("password")) });
  };
  if (state.isPending)
    return (
      <Page title={t.title} width="narrow">
        <Loading />
      </Page>
    );
  if (state.data?.isOpen === false && !setUp.isPending)
    return (
      <Page title={t.title} lead={t.closed} width="narrow">
        <p>
          <Link to="/login">{login.title}</Link>
        </p>
      </Page>
    );
  return (
    <Page title={t.title} lead={secret === "" ? t.noSecret : t.lead} width="narrow">
      <Problem error={state.error} onRetry={() => void state.refetch()} />
      {secret !== "" && (
        <form className="card entrance" onSubmit={submit}>
          <Field
            label={t.name}
            hint={t.nameHint}
            name="name"
            autoComplete="username"
            autoCapitalize="none"
            required
            maxLength={200}
            defaultValue="admin"
          />
          <Field
            label={t.password}
            hint={t.passwordHint}
            name="password"
            type="password"
            autoComplete="new-password"
            required
            minLength={12}
            maxLength={1024}
            fault={faultOf(setUp.error, "password")}
          />
          <Problem error={setUp.error} />
          <button type="submit" className="primary" disabled={setUp.isPending}>
            {t.make}
          </button>
        </form>
      )}
    </Page>
  );
}
