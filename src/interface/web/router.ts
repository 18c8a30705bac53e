/** Every address of the pages. Each page is a file of its own, loaded when it is gone to. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { sessionQuery } from "./api/session.ts";
import { RouteProblem } from "./layout/route-problem.tsx";
import { Shell } from "./layout/shell.tsx";
import { NotFoundPage } from "./pages/not-found.tsx";
import { Loading } from "./parts/busy.tsx";

const rootRoute = createRootRouteWithContext<{ readonly queryClient: QueryClient }>()({
  component: Shell,
  notFoundComponent: NotFoundPage,
});

/** Of an address within these pages: never that of another site. */
const ownPlace = (value: unknown): string | undefined =>
  typeof value === "string" && /^\/(?![/\\])/.test(value) ? value : undefined;

const setupRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/setup.tsx"), "SetupPage"),
});

const loginRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Record<string, unknown>): { to?: string; ended?: true } => {
    const to = ownPlace(search["to"]);
    return { ...(to !== undefined && { to }), ...(search["ended"] === true && { ended: true }) };
  },
  component: lazyRouteComponent(() => import("./pages/login.tsx"), "LoginPage"),
});

/** What is behind the login. */
const insideRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: "inside",
  beforeLoad: async ({ context, location }) => {
    const session = await context.queryClient.ensureQueryData(sessionQuery);
    if (session?.isComplete) return;
    throw redirect({ to: "/login", search: location.href === "/" ? {} : { to: location.href } });
  },
});

const overviewRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/",
  component: lazyRouteComponent(() => import("./pages/overview.tsx"), "OverviewPage"),
});

const routeTree = rootRoute.addChildren([setupRoute, loginRoute, insideRoute.addChildren([overviewRoute])]);

export const createPagesRouter = (queryClient: QueryClient) =>
  createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingComponent: Loading,
    defaultErrorComponent: RouteProblem,
    scrollRestoration: true,
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPagesRouter>;
  }
}
