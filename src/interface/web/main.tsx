/** Where the pages begin. */
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { whenLoggedOut } from "./api/client.ts";
import { createQueryClient } from "./api/query-client.ts";
import { sessionQuery } from "./api/session.ts";
import { isSessionOver, sessionOver } from "./api/session-end.ts";
import { readLanguage, readTheme, showTheme } from "./layout/choice.ts";
import { FirstSight } from "./layout/first-sight.tsx";
import { createPagesRouter } from "./router.ts";
import { loadTexts, TextsProvider } from "./texts/texts.tsx";

showTheme(readTheme());
void loadTexts(readLanguage());

const queryClient = createQueryClient();
// At the same time as the words and the page, not after them.
if (!["/login", "/setup"].includes(window.location.pathname)) void queryClient.prefetchQuery(sessionQuery);
const router = createPagesRouter(queryClient);

whenLoggedOut(() => {
  // Between the password and the code nothing is answered yet, and the page still waits.
  if (isSessionOver()) return;
  // Nothing that was typed is lost: who was here comes in again above the page.
  if (queryClient.getQueryData(sessionQuery.queryKey)?.isComplete) return sessionOver(true);
  queryClient.setQueryData(sessionQuery.queryKey, null);
  const { pathname, href } = router.state.location;
  if (pathname !== "/login") void router.navigate({ to: "/login", search: { to: href, ended: true } });
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Suspense fallback={<FirstSight />}>
      <TextsProvider>
        <QueryClientProvider client={queryClient}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </TextsProvider>
    </Suspense>
  </StrictMode>,
);
