import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import type { Logger } from 'pino';
import type { TSchema } from 'typebox';
import { Access, type Token } from './access/access.ts';
import { NodeLimits, type NodeSettings } from './access/node-limits.ts';
import { Directive } from './contract/directive.ts';
import { POLICY_EXAMPLE, REPORT_EXAMPLE } from './contract/examples.ts';
import { Policy } from './contract/policy.ts';
import { Report, ReportReply } from './contract/report.ts';
import { FeatureView } from './contract/rest/features.ts';
import { OverrideRequest } from './contract/rest/overrides.ts';
import { Rollback } from './contract/rest/policy-history.ts';
import { Problem } from './contract/rest/problem.ts';
import { Because } from './contract/rest/reasons.ts';
import { InterventionRequest, PauseRequest, RecoveryView, StartRecoveryRequest } from './contract/rest/recoveries.ts';
import { TokenRequest } from './contract/rest/tokens.ts';
import { WhyView } from './contract/rest/why.ts';
import { Lead } from './fleet/lead.ts';
import { Fleet } from './fleet.ts';
import { closeConnections } from './http/closing.ts';
import { freshWrites } from './http/fresh-writes.ts';
import { guard } from './http/guard.ts';
import { idempotentRetries } from './http/idempotency.ts';
import { readJsonBodies } from './http/json-body.ts';
import { type KnownRoute, knownRoutes } from './http/known-routes.ts';
import { asCallersSeeIt, describeRoutes } from './http/openapi.ts';
import { notFound, sendProblem } from './http/problem.ts';
import { type RateSettings, rateLimits } from './http/rate-limits.ts';
import type { App } from './http/route.ts';
import { securityHeaders } from './http/security-headers.ts';
import { type SchemasById, validatorCompiler } from './http/validation.ts';
import { parseYaml } from './http/yaml-body.ts';
import { Metrics } from './metrics.ts';
import { Replicas } from './replicas/replicas.ts';
import { Standing } from './replicas/standing.ts';
import { auditRoutes } from './routes/audit.ts';
import { backupRoutes } from './routes/backup.ts';
import { cacheRoutes } from './routes/cache.ts';
import { directiveRoutes } from './routes/directive.ts';
import { eventRoutes } from './routes/events.ts';
import { healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { overrideRoutes } from './routes/overrides.ts';
import { policyRoutes } from './routes/policies.ts';
import { policyHistoryRoutes } from './routes/policy-history.ts';
import { recoveryRoutes } from './routes/recoveries.ts';
import { reportRoutes } from './routes/reports.ts';
import { serviceRoutes } from './routes/services.ts';
import { simulateRoutes } from './routes/simulate.ts';
import { tokenRoutes } from './routes/tokens.ts';
import type { Store } from './store/store.ts';
import { ALONE, Ticker } from './ticker.ts';

export interface AppDependencies {
  readonly store: Store;
  /** Epoch ms, whole, that never jump while the process runs. */
  readonly clock: () => number;
  readonly random: () => number;
  readonly log: Logger;
  /** Name of this process among those that share the store. */
  readonly holder: string;
  readonly tickMs: number;
  readonly maxWatchers: number;
  /** What the shared copies of one service may take. */
  readonly copyBudgetBytes: number;
  readonly access: AccessSettings;
}

/** Who may use the control plane, and how much. */
export interface AccessSettings extends RateSettings, NodeSettings {
  /** Tokens of the file. */
  readonly tokens: readonly Token[];
  /** Whether only programs of this machine reach the port. */
  readonly isLoopback: boolean;
  /** Addresses, or ranges of them, whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
}

export interface ControlPlane {
  readonly app: App;
  readonly routes: readonly KnownRoute[];
  readonly fleet: Fleet;
  readonly access: Access;
  /** Started by whoever runs the app, so that tests tick by hand. */
  readonly ticker: Ticker;
  readonly metrics: Metrics;
  /** Started by whoever runs the app; null: this process has its store for itself. */
  readonly replicas: Replicas | null;
}

/** Longer than Envoy keeps an idle connection (1 h), so that it is never closed under a request on its way. */
const KEEP_ALIVE_MS = 65 * 60_000;
/** Idle sockets are probed, so that those of hosts that vanished do not stay. */
const PROBE_SOCKETS_MS = 60_000;
/** Time to receive a whole request. */
const REQUEST_MS = 30_000;
/** Bodies of commands; routes that take documents say their own limit. */
const BODY_BYTES = 64 * 1024;

/** Named once in the OpenAPI document. */
const SCHEMAS: SchemasById = new Map<string, TSchema>([
  ['Policy', { ...Policy, examples: [POLICY_EXAMPLE] }],
  ['Directive', Directive],
  ['Report', { ...Report, examples: [REPORT_EXAMPLE] }],
  ['ReportReply', ReportReply],
  ['Override', OverrideRequest],
  ['TokenRequest', TokenRequest],
  ['Rollback', Rollback],
  ['Because', Because],
  ['StartRecovery', StartRecoveryRequest],
  ['Pause', PauseRequest],
  ['Intervention', InterventionRequest],
  ['Feature', FeatureView],
  ['Recovery', RecoveryView],
  ['Why', WhyView],
  ['Problem', Problem],
]);

/** Builds the control plane on what it is given; never listens. */
export async function buildControlPlane({
  store,
  clock,
  random,
  log,
  holder,
  tickMs,
  maxWatchers,
  copyBudgetBytes,
  access: settings,
}: AppDependencies): Promise<ControlPlane> {
  const metrics = new Metrics();
  const fleet = new Fleet({ store, clock, random, log, metrics, maxWatchers });
  const lead = new Lead({ store, clock, holder, log });
  await fleet.load();
  const access = await Access.load({ store, clock, given: settings.tokens });
  const { app, routes } = await buildApp(log, clock, access, settings);
  const nodeLimits = new NodeLimits(settings);
  const { bus } = store;
  const replicas = bus && new Replicas({ fleet, store, bus, lead, access, nodeLimits, metrics, log });
  const ticker = new Ticker({ fleet, lead, log, metrics, everyMs: tickMs, listener: replicas ?? ALONE });
  const standing = new Standing(fleet, ticker, replicas);
  metrics.watch(fleet, standing);
  if (replicas) freshWrites(app, replicas.following);
  const dependencies = { fleet, store, standing, replicas, metrics, access, nodeLimits, log, random, copyBudgetBytes };
  app.register(async (scope: App) => {
    for (const add of [
      policyRoutes,
      serviceRoutes,
      recoveryRoutes,
      overrideRoutes,
      auditRoutes,
      backupRoutes,
      directiveRoutes,
      reportRoutes,
      cacheRoutes,
      healthRoutes,
      historyRoutes,
      simulateRoutes,
      tokenRoutes,
      eventRoutes,
      policyHistoryRoutes,
    ]) {
      add(scope, dependencies);
    }
  });
  app.addHook('preClose', async () => {
    replicas?.stop();
    fleet.watchers.stop();
    await ticker.stop();
  });
  return { app, routes, fleet, access, ticker, metrics, replicas };
}

async function buildApp(
  log: Logger,
  clock: () => number,
  access: Access,
  settings: AccessSettings,
): Promise<{ app: App; routes: readonly KnownRoute[] }> {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger, // nearly no request logs anything; those that do name themselves
    bodyLimit: BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { keepAlive: true, keepAliveInitialDelay: PROBE_SOCKETS_MS },
    requestTimeout: REQUEST_MS,
    trustProxy: settings.trustedProxies.length > 0 ? [...settings.trustedProxies] : false,
    return503OnClosing: false, // the watch says goodbye by itself, the rest is answered
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: sendProblem,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setErrorHandler(sendProblem);
  app.setValidatorCompiler(validatorCompiler(SCHEMAS, ['Policy']));
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    ['application/yaml', 'application/x-yaml', 'text/yaml'],
    { parseAs: 'string' },
    async (_: unknown, text: string) => parseYaml(text),
  );
  for (const [id, schema] of SCHEMAS) app.addSchema({ ...asCallersSeeIt(schema), $id: id });
  await securityHeaders(app);
  guard(app, { access, limits: await rateLimits(app, settings), isLoopback: settings.isLoopback });
  closeConnections(app);
  readJsonBodies(app);
  idempotentRetries(app, clock);
  const routes = knownRoutes(app);
  app.setNotFoundHandler((request, reply) => sendProblem(notFound(request, routes), request, reply));
  await describeRoutes(app);
  return { app, routes };
}
