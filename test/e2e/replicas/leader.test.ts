import { afterAll, expect, test } from 'vitest';
import { waitFor } from '../../../envoy/demo/wait.ts';
import {
  aWhile,
  closeStage,
  type Fault,
  governanceLapses,
  isDegraded,
  isLeading,
  LATE,
  leaderOf,
  otherThan,
  takeCourse,
} from './course.ts';
import type { Replica } from './stage.ts';

afterAll(() => closeStage(true));

let leader: Replica | null = null;

const faults: readonly Fault[] = [
  {
    name: 'both replicas are cut off from Valkey, but not from the proxies',
    inject: ({ replicas }) => {
      for (const { link } of replicas) link.set('hanging');
    },
    during: async (stage) => {
      for (const replica of stage.replicas) await isDegraded(replica, LATE);
      await governanceLapses(stage);
    },
    heal: ({ replicas }) => {
      for (const { link } of replicas) link.set('whole');
    },
  },
  {
    name: 'the leader alone is cut off from Valkey',
    inject: async (stage) => {
      leader = await leaderOf(stage);
      leader.link.set('hanging');
    },
    during: async (stage) => {
      const other = otherThan(stage, leader!);
      await waitFor('the other replica to lead', async () => ((await isLeading(other)) ? true : null), 5000);
      expect(await isLeading(leader!), 'who cannot renew the lease leads no more').toBe(false);
      await isDegraded(leader!, LATE);
    },
    heal: () => leader!.link.set('whole'),
  },
  {
    name: 'the leader hangs while the other replica answers from memory',
    inject: async (stage) => {
      leader = await leaderOf(stage);
      otherThan(stage, leader).link.set('hanging');
      leader.pause(true);
    },
    during: async (stage) => {
      await isDegraded(otherThan(stage, leader!), LATE);
      await governanceLapses(stage);
    },
    heal: (stage) => {
      otherThan(stage, leader!).link.set('whole');
      leader!.pause(false);
    },
  },
  {
    name: 'the leader sleeps past its lease and wakes up',
    inject: async (stage) => {
      leader = await leaderOf(stage);
      leader.pause(true);
    },
    during: async (stage) => {
      const other = otherThan(stage, leader!);
      await waitFor('the other replica to lead', async () => ((await isLeading(other)) ? true : null), 5000);
      leader!.pause(false);
      await aWhile();
      expect([await isLeading(leader!), await isLeading(other)]).toEqual([false, true]);
    },
    heal: () => undefined,
  },
];

test.for(faults)('$name', (fault) => takeCourse(fault));
