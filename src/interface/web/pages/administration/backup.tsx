/** The state carried away, in a file that `zonepost restore` brings back. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { FormEvent } from "react";
import { answer, GET, POST } from "../../api/client.ts";
import { backupQuery } from "../../api/tools.ts";
import { Busy, Loading } from "../../parts/busy.tsx";
import { CopyButton } from "../../parts/copy-button.tsx";
import { Field } from "../../parts/field.tsx";
import { Page } from "../../parts/page.tsx";
import { faultOf, Problem } from "../../parts/problem.tsx";
import { When } from "../../parts/when.tsx";
import { useTexts } from "../../texts/texts.tsx";
import { accountKey } from "../account/account-key.ts";
import "../../style/administration.css";

const DUMP = 'pg_dump --format=custom --file=zonepost.dump "$ZONEPOST_DATABASE"';
const RESTORE = "zonepost restore zonepost-backup.db";

export function BackupPage() {
  const { backup: t } = useTexts();
  const backup = useQuery(backupQuery);
  const { data } = backup;
  return (
    <Page title={t.title} lead={t.lead} width="narrow">
      {backup.isPending && <Loading />}
      <Problem error={backup.error} onRetry={() => void backup.refetch()} />
      {data && (
        <>
          <section className="card stack">
            <h2>{t.make}</h2>
            {data.isByDatabase ? (
              <>
                <p>{t.byDatabase}</p>
                <p className="copyable">
                  <code>{DUMP}</code> <CopyButton text={DUMP} what={t.command} />
                </p>
              </>
            ) : (
              <Make />
            )}
            <p className="hint">
              {data.last ? (
                <>
                  {t.last} <When at={data.last.at} show="both" />, {t.by(data.last.by)}
                </>
              ) : (
                t.never
              )}
            </p>
          </section>
          <section className="card stack">
            <h2>{t.sealKey}</h2>
            <p>{t.sealKeyHint}</p>
          </section>
          {!data.isByDatabase && (
            <section className="card stack">
              <h2>{t.restore}</h2>
              <p>{t.restoreHint}</p>
              <p className="copyable">
                <code>{RESTORE}</code> <CopyButton text={RESTORE} what={t.command} />
              </p>
            </section>
          )}
        </>
      )}
    </Page>
  );
}

function Make() {
  const { backup: t, account } = useTexts();
  const client = useQueryClient();
  const own = useQuery({
    queryKey: accountKey,
    queryFn: ({ signal }) => answer(GET("/api/account", { signal })),
  });
  const save = useMutation({
    mutationFn: async (password: string | undefined) => {
      const { data, response } = await POST("/api/backup", {
        body: password === undefined ? {} : { password },
        parseAs: "blob",
      });
      const name = /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1];
      hand(data as unknown as Blob, name ?? "zonepost-backup.db");
    },
    onSuccess: () => client.invalidateQueries({ queryKey: backupQuery.queryKey }),
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    const password = new FormData(form).get("password");
    save.mutate(password === null ? undefined : String(password), { onSuccess: () => form.reset() });
  };
  const fault = faultOf(save.error, "password");
  if (own.isPending) return <Loading />;
  return (
    <form className="stack" onSubmit={submit}>
      <p>{t.makeHint}</p>
      {own.data?.hasPassword && (
        <Field
          label={account.oldPassword}
          hint={t.passwordHint}
          name="password"
          type="password"
          autoComplete="current-password"
          required
          fault={fault}
        />
      )}
      {!fault && <Problem error={save.error} />}
      {save.isPending && <Busy text={t.saving} />}
      <div role="status">{save.isSuccess && <p className="note note-ok">{t.saved}</p>}</div>
      <button type="submit" className="primary" disabled={save.isPending}>
        {t.download}
      </button>
    </form>
  );
}

/** To the browser's downloads. */
function hand(content: Blob, name: string): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // Once the browser has begun with it.
  window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
