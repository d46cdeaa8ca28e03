import { afterAll, test } from 'vitest';
import { aWhile, closeStage, type Fault, isDegraded, LATE, takeCourse } from './course.ts';
import type { ReplicaStage } from './stage.ts';

afterAll(() => closeStage(true));

const bothDegraded = async ({ replicas }: ReplicaStage, why: RegExp): Promise<void> => {
  for (const replica of replicas) await isDegraded(replica, why);
};

const faults: readonly Fault[] = [
  {
    name: 'Valkey is killed and comes back with its data',
    inject: (stage) => stage.killRedis(),
    during: (stage) => bothDegraded(stage, /cannot be reached/),
    heal: (stage) => stage.startRedis(),
  },
  {
    name: 'Valkey is killed and comes back empty',
    inject: (stage) => stage.killRedis(),
    during: (stage) => bothDegraded(stage, /cannot be reached/),
    heal: (stage) => stage.startRedis({ empty: true }),
  },
  {
    name: 'Valkey answers two seconds late',
    inject: ({ replicas }) => {
      for (const { link } of replicas) link.set({ delayMs: 2000 });
    },
    during: (stage) => bothDegraded(stage, LATE),
    heal: ({ replicas }) => {
      for (const { link } of replicas) link.set('whole');
    },
  },
  {
    name: 'Valkey hangs',
    inject: (stage) => stage.pauseRedis(true),
    during: async (stage) => {
      await bothDegraded(stage, LATE);
      await aWhile();
    },
    heal: (stage) => stage.pauseRedis(false),
  },
];

test.for(faults)('$name', (fault) => takeCourse(fault));
