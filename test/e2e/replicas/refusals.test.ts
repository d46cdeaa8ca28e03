import { afterAll, test } from 'vitest';
import { closeStage, type Fault, isDegraded, takeCourse } from './course.ts';
import type { ReplicaStage } from './stage.ts';

afterAll(() => closeStage(true));

interface Refusal extends Pick<Fault, 'name' | 'inject' | 'heal'> {
  /** What readiness and problems say of it. */
  readonly says: RegExp;
}

const refusals: readonly Refusal[] = [
  {
    name: 'Valkey has become a read-only replica',
    inject: ({ tellRedis }) => tellRedis([['REPLICAOF', '127.0.0.1', '1']]),
    heal: ({ tellRedis }) => tellRedis([['REPLICAOF', 'NO', 'ONE']]),
    says: /read-only replica/,
  },
  {
    name: 'Valkey is out of memory',
    inject: ({ tellRedis }) => tellRedis([['CONFIG', 'SET', 'maxmemory', '1']]),
    heal: ({ tellRedis }) => tellRedis([['CONFIG', 'SET', 'maxmemory', '0']]),
    says: /maxmemory/,
  },
  {
    name: 'the password of Valkey is another one now',
    inject: ({ tellRedis }) =>
      tellRedis([
        ['CONFIG', 'SET', 'requirepass', 'changed'],
        ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
        ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ]),
    heal: ({ tellRedis }) => tellRedis([['CONFIG', 'SET', 'requirepass', '']], 'changed'),
    says: /refuses the password/,
  },
];

const course = ({ says, ...refusal }: Refusal): Fault => ({
  ...refusal,
  during: async ({ replicas }: ReplicaStage) => {
    for (const replica of replicas) await isDegraded(replica, says);
  },
});

test.for(refusals)('$name', (refusal) => takeCourse(course(refusal)));
