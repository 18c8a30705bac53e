/** Every address of the pages. Each page is a file of its own, loaded when it is gone to. */
import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import type { DomainFilter } from "./api/domains.ts";
import { sessionQuery } from "./api/session.ts";
import { type AuditFilter, SYMPTOMS, type Symptom } from "./api/tools.ts";
import { RouteProblem } from "./layout/route-problem.tsx";
import { Shell } from "./layout/shell.tsx";
import { STATIONS, type Station } from "./pages/domain/stations.ts";
import { NotFoundPage } from "./pages/not-found.tsx";
import { Loading } from "./parts/busy.tsx";
import { SEVERITIES } from "./parts/severity.tsx";

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
  validateSearch: (search: Record<string, unknown>): { to?: string; ended?: true; refused?: true } => {
    const to = ownPlace(search["to"]);
    return {
      ...(to !== undefined && { to }),
      ...(search["ended"] === true && { ended: true }),
      ...(search["refused"] === true && { refused: true }),
    };
  },
  component: lazyRouteComponent(() => import("./pages/login.tsx"), "LoginPage"),
});

interface DomainSearch {
  /** The findings where absent. */
  readonly view?: "records" | "compliance" | "history" | "description";
  /** What is about one station alone. */
  readonly at?: Station;
  /** The DNS host in whose form records are shown; empty for the usual form. */
  readonly host?: string;
  /** The job of a check that has just been begun. */
  readonly checking?: string;
}

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
  validateSearch: (search: Record<string, unknown>): DomainFilter => {
    const worst = SEVERITIES.find((each) => each === search["worst"]);
    // A search for figures alone is read as a number.
    const text = ["string", "number"].includes(typeof search["search"]) ? String(search["search"]) : "";
    return { ...(text && { search: text }), ...(worst && { worst }) };
  },
  component: lazyRouteComponent(() => import("./pages/overview.tsx"), "OverviewPage"),
});

const domainRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/domains/$domain",
  validateSearch: (search: Record<string, unknown>): DomainSearch => {
    const view = (["records", "compliance", "history", "description"] as const).find(
      (each) => each === search["view"],
    );
    const at = STATIONS.find((each) => each === search["at"]);
    const { host, checking } = search;
    return {
      ...(view && { view }),
      ...(at && { at }),
      ...(typeof host === "string" && { host }),
      ...(typeof checking === "string" && { checking }),
    };
  },
  component: lazyRouteComponent(() => import("./pages/domain/domain.tsx"), "DomainPage"),
});

const chooseKeysRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/dkim",
  component: lazyRouteComponent(() => import("./pages/dkim/choose.tsx"), "ChooseKeysPage"),
});

const dkimRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/domains/$domain/dkim",
  component: lazyRouteComponent(() => import("./pages/dkim/dkim.tsx"), "DkimPage"),
});

const publishRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/domains/$domain/publish",
  /** The job of an apply or an undo that is followed. */
  validateSearch: (search: Record<string, unknown>): { job?: string } =>
    typeof search["job"] === "string" ? { job: search["job"] } : {},
  component: lazyRouteComponent(() => import("./pages/publish/publish.tsx"), "PublishPage"),
});

const addRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/add",
  component: lazyRouteComponent(() => import("./pages/add-domain.tsx"), "AddDomainPage"),
});

const accountRoute = createRoute({
  getParentRoute: () => insideRoute,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/account/account.tsx"), "AccountPage"),
});

const toolRoutes = [
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/troubleshoot",
    validateSearch: (search: Record<string, unknown>): { domain?: string; symptom?: Symptom } => {
      const symptom = SYMPTOMS.find((each) => each === search["symptom"]);
      const { domain } = search;
      return { ...(typeof domain === "string" && { domain }), ...(symptom && { symptom }) };
    },
    component: lazyRouteComponent(() => import("./pages/tools/troubleshoot.tsx"), "TroubleshootPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/explain",
    component: lazyRouteComponent(() => import("./pages/tools/explain.tsx"), "ExplainPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/route",
    component: lazyRouteComponent(() => import("./pages/tools/mail-route.tsx"), "MailRoutePage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/history",
    component: lazyRouteComponent(() => import("./pages/history.tsx"), "HistoryPage"),
  }),
] as const;

const administrationRoutes = [
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/alerts",
    component: lazyRouteComponent(() => import("./pages/administration/alerts.tsx"), "AlertsPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/audit",
    validateSearch: (search: Record<string, unknown>): AuditFilter => {
      const said = (name: string) => {
        const value = search[name];
        return typeof value === "string" && value !== "" ? { [name]: value } : {};
      };
      return { ...said("actor"), ...said("action"), ...said("target") };
    },
    component: lazyRouteComponent(() => import("./pages/administration/audit.tsx"), "AuditPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/users",
    component: lazyRouteComponent(() => import("./pages/administration/users.tsx"), "UsersPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/servers",
    component: lazyRouteComponent(() => import("./pages/administration/servers.tsx"), "ServersPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/providers",
    /** The domain for which one is wanted. */
    validateSearch: (search: Record<string, unknown>): { for?: string } =>
      typeof search["for"] === "string" ? { for: search["for"] } : {},
    component: lazyRouteComponent(() => import("./pages/administration/providers.tsx"), "ProvidersPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/settings",
    component: lazyRouteComponent(() => import("./pages/administration/settings.tsx"), "SettingsPage"),
  }),
  createRoute({
    getParentRoute: () => insideRoute,
    path: "/backup",
    component: lazyRouteComponent(() => import("./pages/administration/backup.tsx"), "BackupPage"),
  }),
] as const;

const routeTree = rootRoute.addChildren([
  setupRoute,
  loginRoute,
  insideRoute.addChildren([
    overviewRoute,
    domainRoute,
    addRoute,
    accountRoute,
    ...toolRoutes,
    ...administrationRoutes,
    chooseKeysRoute,
    dkimRoute,
    publishRoute,
  ]),
]);

export const createPagesRouter = (queryClient: QueryClient) =>
  createRouter({
    routeTree,
    context: { queryClient },
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    defaultPendingComponent: Loading,
    // Sooner than a wait is felt; and no longer than there is one.
    defaultPendingMs: 50,
    defaultPendingMinMs: 0,
    defaultErrorComponent: RouteProblem,
    scrollRestoration: true,
  });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createPagesRouter>;
  }
}
