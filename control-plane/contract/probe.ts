import Type from 'typebox';
import { LIMITS } from './limits.ts';
import { describedCluster, HEADER_VALUE_PATTERN, PATH_PATTERN } from './names.ts';
import { closed, count } from './schema-kinds.ts';

export const ProbeRequest = Type.Object(
  {
    cluster: describedCluster('Cluster of Envoy that is asked'),
    path: Type.String({ pattern: PATH_PATTERN, minLength: 1, maxLength: LIMITS.pathLength, description: 'Without a query' }),
    authority: Type.Optional(
      Type.String({
        pattern: HEADER_VALUE_PATTERN,
        minLength: 1,
        maxLength: 255,
        description: 'Host that is asked for; default: the service',
      }),
    ),
    timeoutMs: count(1000, 10, 60_000, 'Without an answer for this long the probe has failed'),
  },
  {
    ...closed,
    description:
      'A GET that a proxy sends by itself when it holds a permit that no request has used in half its term. Its status is judged as a ' +
      "request's. The cluster must be listed in `probeClusters` of the plugin configuration",
  },
);

export const Probe = Type.Object(
  { request: Type.Optional(ProbeRequest) },
  {
    ...closed,
    minProperties: 1,
    maxProperties: 1,
    description: 'How the feature is tested while it is DISABLED and nobody asks for it; without it requests alone are probes',
  },
);
