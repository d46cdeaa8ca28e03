import { type Message, pathsOf } from './control-plane-side.ts';
import type { Located, WireModule } from './wire-module.ts';

/** What the filter finds wrong with a message. A policy by itself is given as an inline policy, which is held to the schema strictly. */
export function filterProblems(wire: WireModule, message: Message, input: unknown): Located[] {
  switch (message) {
    case 'policy': {
      const service = typeof (input as { service?: unknown })?.service === 'string' ? (input as { service: string }).service : 'shop';
      const problems = wire.problems('settings', configurationOf(input, service));
      const inline = problems.filter(({ path }) => path.startsWith('services[0].policy'));
      return inline.map((problem) => ({ ...problem, path: problem.path.replace(/^services\[0\]\.policy\.?/, '') }));
    }
    case 'plugin-configuration':
      return wire.problems('settings', JSON.stringify(input));
    case 'directive':
      return wire.problems('directive', JSON.stringify(input));
    case 'report-reply':
      return wire.problems('reply', JSON.stringify(input));
  }
}

export const filterPaths = (wire: WireModule, message: Message, input: unknown) => pathsOf(filterProblems(wire, message, input));

/** A plugin configuration that allows each cluster that the policy names. */
function configurationOf(policy: unknown, service: string): string {
  const clusters = [...JSON.stringify(policy).matchAll(/"cluster":\{"name":"([^"\\ ]+)"/g)].map((match) => match[1]);
  const probed = [...JSON.stringify(policy).matchAll(/"request":\{"cluster":"([^"\\ ]+)"/g)].map((match) => match[1]);
  return JSON.stringify({ services: [{ service, policy }], fallbackClusters: [...new Set(clusters)], probeClusters: [...new Set(probed)] });
}
