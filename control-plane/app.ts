import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { LogController } from 'fastify';
import type { Logger } from 'pino';
import type { TSchema } from 'typebox';
import { Directive } from './contract/directive.ts';
import { POLICY_EXAMPLE, REPORT_EXAMPLE } from './contract/examples.ts';
import { Policy } from './contract/policy.ts';
import { Report, ReportReply } from './contract/report.ts';
import { FeatureView } from './contract/rest/features.ts';
import { OverrideRequest } from './contract/rest/overrides.ts';
import { Problem } from './contract/rest/problem.ts';
import { Because } from './contract/rest/reasons.ts';
import { RecoveryView } from './contract/rest/recoveries.ts';
import { RouteUnknown, sendProblem } from './errors.ts';
import { Fleet } from './fleet.ts';
import { asCallersSeeIt, describeRoutes } from './http/openapi.ts';
import type { App } from './http/route.ts';
import { type SchemasById, validatorCompiler } from './http/validation.ts';
import { parseYaml } from './http/yaml-body.ts';
import { Metrics } from './metrics.ts';
import { auditRoutes } from './routes/audit.ts';
import { directiveRoutes } from './routes/directive.ts';
import { healthRoutes } from './routes/health.ts';
import { overrideRoutes } from './routes/overrides.ts';
import { policyRoutes } from './routes/policies.ts';
import { recoveryRoutes } from './routes/recoveries.ts';
import { reportRoutes } from './routes/reports.ts';
import { serviceRoutes } from './routes/services.ts';
import type { Store } from './store/store.ts';
import { Ticker } from './ticker.ts';

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
}

export interface ControlPlane {
  readonly app: App;
  readonly fleet: Fleet;
  /** Started by whoever runs the app, so that tests tick by hand. */
  readonly ticker: Ticker;
  readonly metrics: Metrics;
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
  ['Because', Because],
  ['Feature', FeatureView],
  ['Recovery', RecoveryView],
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
}: AppDependencies): Promise<ControlPlane> {
  const metrics = new Metrics();
  const fleet = new Fleet({ store, clock, random, log, metrics, maxWatchers });
  const ticker = new Ticker({ fleet, store, log, metrics, holder, everyMs: tickMs });
  metrics.watch(fleet);
  await fleet.load();
  const app = await buildApp(log);
  const dependencies = { fleet, store, ticker, metrics, random };
  app.register(async (routes: App) => {
    for (const add of [
      policyRoutes,
      serviceRoutes,
      recoveryRoutes,
      overrideRoutes,
      auditRoutes,
      directiveRoutes,
      reportRoutes,
      healthRoutes,
    ]) {
      add(routes, dependencies);
    }
  });
  app.addHook('preClose', async () => {
    fleet.watchers.stop();
    await ticker.stop();
  });
  return { app, fleet, ticker, metrics };
}

async function buildApp(log: Logger): Promise<App> {
  const app = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_MS,
    http: { keepAlive: true, keepAliveInitialDelay: PROBE_SOCKETS_MS },
    requestTimeout: REQUEST_MS,
    return503OnClosing: false, // the watch says goodbye by itself, the rest is answered
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: sendProblem,
  }).withTypeProvider<TypeBoxTypeProvider>();
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(new RouteUnknown(request.method, request.url.split('?')[0]), request, reply));
  app.setValidatorCompiler(validatorCompiler(SCHEMAS, ['Policy']));
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.removeContentTypeParser('text/plain');
  app.addContentTypeParser(
    ['application/yaml', 'application/x-yaml', 'text/yaml'],
    { parseAs: 'string' },
    async (_: unknown, text: string) => parseYaml(text),
  );
  for (const [id, schema] of SCHEMAS) app.addSchema({ ...asCallersSeeIt(schema), $id: id });
  await describeRoutes(app);
  return app;
}
