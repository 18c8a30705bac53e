/** The pages and views of one domain. */
import { Link } from "@tanstack/react-router";
import { mayChange, useSession } from "../../api/session.ts";
import { useTexts } from "../../texts/texts.tsx";

export function DomainNav({ domain }: { readonly domain: string }) {
  const { domain: t } = useTexts();
  const session = useSession();
  return (
    <nav className="views" aria-label={t.views}>
      <ul>
        {([undefined, "records", "compliance", "history", "description"] as const).map((each) => (
          <li key={each ?? "findings"}>
            <Link
              to="/domains/$domain"
              params={{ domain }}
              search={({ view: _other, checking: _check, ...kept }) => ({
                ...kept,
                ...(each && { view: each }),
              })}
              activeOptions={{ exact: true }}
              resetScroll={false}
            >
              {t.view[each ?? "findings"]}
            </Link>
          </li>
        ))}
        <li>
          <Link to="/domains/$domain/dkim" params={{ domain }} resetScroll={false}>
            {t.view.dkim}
          </Link>
        </li>
        {mayChange(session) && (
          <li>
            <Link
              to="/domains/$domain/publish"
              params={{ domain }}
              activeOptions={{ includeSearch: false }}
              resetScroll={false}
            >
              {t.view.publish}
            </Link>
          </li>
        )}
      </ul>
    </nav>
  );
}
