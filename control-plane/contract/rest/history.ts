import Type, { type Static } from 'typebox';
import { LIMITS } from '../limits.ts';
import { Counter, Name } from '../names.ts';
import { closed } from '../schema-kinds.ts';
import { instant, nullable, span } from './kinds.ts';

const node = Type.Optional(
  Type.String({ minLength: 1, maxLength: 253, description: 'Node id of one proxy; without it, all proxies together' }),
);
const sinceMs = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: LIMITS.safeInteger,
    description: 'Only from this moment on, in ms since 1970; default: an hour ago',
  }),
);

export const HistoryQuery = Type.Object({ node, sinceMs }, { ...closed, default: {} });
export const SimulationQuery = HistoryQuery;

export const UnknownSpan = Type.Object({
  fromMs: instant('Start'),
  toMs: instant('End'),
  because: Type.Enum(['refused', 'not-heard', 'given-up', 'late', 'coarse'], {
    description:
      'refused: requests were kept from the upstream, so how they would have ended is not known; not-heard: no proxy told; given-up: ' +
      'there was no room; late: told late, so when it happened is not known; coarse: only the sums of ten seconds are left',
  }),
});

export const HistoryWindow = Type.Object({
  atMs: instant('Start'),
  lengthMs: span('1,000 in the last ten minutes, 10,000 before'),
  admitted: Counter,
  succeeded: Counter,
  failed: Counter,
  ignored: Counter,
  slow: Counter,
  refused: Counter,
  degraded: Type.Object({ stale: Counter, cluster: Counter, static: Counter }),
  latency: Type.Array(Counter, { description: 'Count per latency bucket, as in reports' }),
  late: Type.Boolean({ description: 'Some of it was reported late, and so happened some time before' }),
});

export const HistoryView = Type.Object({
  service: Name,
  feature: Name,
  node: nullable(Type.String()),
  nowMs: instant('Time of the answer'),
  windows: Type.Array(HistoryWindow, { description: 'Windows with traffic, oldest first' }),
  unknown: Type.Array(UnknownSpan),
});
export type HistoryView = Static<typeof HistoryView>;

export const FirstTrip = Type.Object({
  fromMs: instant('Start of the window in which the breaker would have tripped, at the earliest'),
  toMs: instant('End of that window'),
  because: Type.Enum(['failure-rate', 'slow-rate', 'consecutive-failures']),
  certainByMs: nullable(instant('By then it would have tripped in whatever order requests ended; null: it need not have tripped')),
  numbers: Type.Record(Type.String(), Type.Number(), { description: 'What the breaker saw, and the limit that it reached' }),
});

export const FeatureSimulation = Type.Object({
  feature: Name,
  requests: Type.Integer({ description: 'Recorded outcomes that were replayed' }),
  firstTrip: nullable(FirstTrip),
  unknown: Type.Array(UnknownSpan),
  scale: Type.Integer({ description: 'Counts were divided by this, so that a busy feature takes no longer than others' }),
  caveats: Type.Array(
    Type.Enum(['failure-rules-differ', 'slow-by-buckets', 'order-not-recorded', 'feature-is-new', 'mode-not-enforce'], {
      description:
        'failure-rules-differ: outcomes count as they were judged by the policy of then; slow-by-buckets: the threshold lies within a ' +
        'latency bucket; order-not-recorded: failures in a row are judged per worker, and only their number is known',
    }),
  ),
});

export const Simulation = Type.Object({
  service: Name,
  node: nullable(Type.String({ description: 'The proxy whose traffic was replayed; null: that of all, as if it were one' })),
  fromMs: instant('Start of what was replayed'),
  toMs: instant('End of what was replayed'),
  features: Type.Array(FeatureSimulation, { description: 'Those of the draft' }),
});
export type Simulation = Static<typeof Simulation>;
