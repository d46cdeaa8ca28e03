import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../../envoy/demo/wait.ts';
import { closeStage, type Fault, isLeading, leaderOf, otherThan, takeCourse } from './course.ts';
import type { Replica, ReplicaStage } from './stage.ts';

afterAll(() => closeStage(true));

const takeoverWithinMs = 5000;
let killed: Replica | null = null;

/** Kills the leader when the commit of its next transition is on its way: before it arrives, or before it is known to have arrived. */
async function killInTransition(stage: ReplicaStage, when: 'before' | 'after'): Promise<void> {
  const leader = await leaderOf(stage);
  killed = leader;
  const isSent = new Promise<void>((resolve) => {
    leader.link.onSent((bytes) => {
      if (!bytes.includes('flag-changed')) return;
      leader.link.onSent(() => undefined);
      if (when === 'before') leader.link.set('hanging');
      else setImmediate(() => leader.link.set('hanging'));
      resolve();
    });
  });
  stage.upstream.isDown = false;
  await isSent;
  await leader.kill();
}

async function otherTakesOver(stage: ReplicaStage): Promise<void> {
  const fromMs = performance.now();
  const other = otherThan(stage, killed!);
  await waitFor('the other replica to lead', async () => ((await isLeading(other)) ? true : null), takeoverWithinMs);
  console.log(`takeover after ${Math.round(performance.now() - fromMs)} ms`);
}

async function startAgain(): Promise<void> {
  killed!.link.set('cut');
  killed!.link.set('whole');
  await killed!.start();
}

const faults: readonly Fault[] = [
  {
    name: 'the leader is killed with a transition on its way to Valkey',
    inject: (stage) => killInTransition(stage, 'before'),
    during: otherTakesOver,
    heal: startAgain,
  },
  {
    name: 'the leader is killed before it knows that its transition was written',
    inject: (stage) => killInTransition(stage, 'after'),
    during: otherTakesOver,
    heal: startAgain,
  },
  {
    name: 'a follower is killed in the middle of a report',
    inject: async (stage) => {
      const leader = await leaderOf(stage);
      killed = otherThan(stage, leader);
      await new Promise<void>((resolve) => stage.recorder.onReport(stage.replicas.indexOf(killed!), resolve));
      await killed.kill();
    },
    during: async (stage) => expect(await isLeading(otherThan(stage, killed!))).toBe(true),
    heal: startAgain,
  },
];

test.for(faults)('$name', (fault) => takeCourse(fault));
