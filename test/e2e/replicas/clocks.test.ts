import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { Directive } from '../../../control-plane/contract/directive.ts';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { projectRoot } from '../../../scripts/project-root.ts';
import { closeStage, type Fault, isLeading, leaderOf, otherThan, seenAt, takeCourse } from './course.ts';
import { SERVICE } from './policy.ts';
import type { Replica, ReplicaSettings } from './stage.ts';

afterAll(() => closeStage(true));

const skewed = {
  CLOCK_SKEW_MS: String(10 * 60_000),
  NODE_OPTIONS: `--import=${pathToFileURL(join(projectRoot, 'test/e2e/replicas/skewed-clock.mjs')).href}`,
};
const settings: ReplicaSettings = [{}, skewed];

let leader: Replica | null = null;

/** What is left of the override of `checkout`, in ms. */
async function timeLeft({ port }: Replica): Promise<number> {
  const { flags } = (await (await fetch(`http://127.0.0.1:${port}/v1/services/${SERVICE}/directive`)).json()) as Directive;
  return flags.find(({ feature }) => feature === 'checkout')?.expiresInMs ?? Number.NaN;
}

const takeover: Fault = {
  name: 'clocks ten minutes apart, and the leader is killed in the middle of long polls',
  inject: async (stage) => {
    leader = await leaderOf(stage);
    expect((await seenAt(leader)).write.code).toBe(200);
    const [here, there] = await waitFor(
      'both replicas to know the override',
      async () => {
        const both = await Promise.all([timeLeft(leader!), timeLeft(otherThan(stage, leader!))]);
        return both.some(Number.isNaN) ? null : both;
      },
      5000,
    );
    expect(Math.abs(here! - there!)).toBeLessThan(2000);
    await leader.kill();
  },
  during: async (stage) => {
    const other = otherThan(stage, leader!);
    await waitFor('the other replica to lead', async () => ((await isLeading(other)) ? true : null), 5000);
  },
  heal: () => leader!.start(),
};

test(takeover.name, () => takeCourse(takeover, settings));
