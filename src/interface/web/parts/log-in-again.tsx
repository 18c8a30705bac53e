/** For who has no password to show once more: the way to prove anew who they are, and back to this page. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { loginWaysQuery, providerAddress } from "../api/login-ways.ts";
import { useTexts } from "../texts/texts.tsx";

export function LogInAgain() {
  const { login: t } = useTexts();
  const provider = useQuery(loginWaysQuery).data?.provider;
  const leave = useMutation({
    mutationFn: () => {
      const { pathname, search, hash } = window.location;
      return providerAddress(pathname + search + hash, true);
    },
    onSuccess: (url) => window.location.assign(url),
  });
  if (!provider) return <p>{t.anew}</p>;
  return (
    <>
      <button type="button" disabled={leave.isPending} onClick={() => leave.mutate()}>
        {t.again(provider.title)}
      </button>
      {leave.isError && <p>{t.noProvider}</p>}
    </>
  );
}
