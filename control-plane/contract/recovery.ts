import Type from 'typebox';
import { LIMITS } from './limits.ts';
import { describedName, JITTERS } from './names.ts';
import { count, defaulted, duration, percent } from './schema-kinds.ts';

export const Backoff = Type.Object(
  {
    baseMs: duration(1000, 10, 'Wait before the first attempt'),
    factor: count(2, 1, 10, 'Growth per failed attempt'),
    capMs: duration(30_000, 10, 'Longest wait before jitter'),
    jitter: Type.Enum([...JITTERS], { default: 'equal', description: 'As in `breaker.jitter`' }),
  },
  { ...defaulted, description: 'Waits between attempts' },
);

export const FeatureRecovery = Type.Object(
  {
    pattern: Type.Enum(['partial', 'exponential-backoff'], {
      default: 'partial',
      description: 'partial: ramp in steps; exponential-backoff: from successful probes straight to ENABLED',
    }),
    rampPercent: Type.Array(Type.Integer({ minimum: 1, maximum: 100 }), {
      minItems: 1,
      maxItems: 20,
      default: [1, 5, 10, 25, 50, 100],
      description: 'Steps of the ramp, rising, the last one 100',
    }),
    stableForMs: duration(60_000, 1000, 'Longest stability window of a step'),
    minimumSamples: count(20, 1, 1_000_000, 'Outcomes that a step needs to pass'),
    maxFailurePercent: percent(10, 0, 'A step with a higher failure rate fails'),
    probes: count(3, 1, 1000, 'Successful probes that an attempt needs before the ramp'),
    backoff: Backoff,
    maxAttempts: count(10, 1, 10_000, 'Failed attempts after which the recovery counts as stuck'),
    onExhausted: Type.Enum(['continue', 'hold'], {
      default: 'continue',
      description: 'continue: go on probing at the cap; hold: wait for a person',
    }),
    resetAfterMs: duration(300_000, 1000, 'ENABLED for this long, a failure starts a new outage'),
  },
  { ...defaulted, description: 'How the fleet brings this feature back' },
);

export const Health = Type.Object(
  {
    windowMs: duration(10_000, 1000, 'Window that is judged'),
    minimumRequests: count(20, 1, 1_000_000, 'Below this many outcomes health is UNKNOWN'),
    degradedPercent: percent(10, 1, 'Failure rate from which the feature is DEGRADED'),
    unhealthyPercent: percent(50, 1, 'Failure rate from which the feature is UNHEALTHY'),
    hysteresisPercent: Type.Integer({
      minimum: 0,
      maximum: 50,
      default: 5,
      description: 'A rate must fall this far below a threshold to leave it',
    }),
  },
  { ...defaulted, description: 'How the control plane judges this feature' },
);

export const ServiceRecovery = Type.Object(
  {
    scope: Type.Enum(['fleet', 'proxy'], {
      default: 'fleet',
      description: 'proxy: each proxy has its own upstream (inbound side of a sidecar); it recovers alone, the fleet only watches',
    }),
    upstreamGroup: Type.Optional(describedName('Services that name one group share its probe budget; default: the service')),
    probesInFlight: count(5, 1, 1000, 'Probes in flight at the upstream, over the whole fleet'),
    probesPerSecond: count(5, 1, 1000, 'Probes granted per second, over the whole fleet'),
    maxRamping: count(2, 1, LIMITS.features, 'Features that may ramp at the same time; the one of highest priority is exempt'),
  },
  { ...defaulted, description: 'How the fleet brings this service back' },
);

export const Governance = Type.Object(
  {
    staleAfterMs: duration(
      15_000,
      1000,
      "Without a sign of the fleet's leader for this long (× 1 to 1.3, drawn per proxy), proxies recover by themselves",
    ),
    reportMs: duration(1000, 100, 'Report interval under traffic; at most a third of staleAfterMs'),
    quietReportMs: duration(5000, 100, 'Report interval without traffic; at most a third of staleAfterMs'),
  },
  { ...defaulted, description: 'How proxies and control plane keep in touch' },
);
