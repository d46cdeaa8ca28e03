import { FLEET_KEYS } from '../../../../control-plane/store/redis/keys.ts';
import { openRedisStore } from '../../../../control-plane/store/redis/redis-store.ts';
import { describeStore } from '../conformance.ts';
import { databases, openClient, openStore, silent } from './server.ts';

const newDatabase = databases();

describeStore('Redis or Valkey', async () => {
  const url = newDatabase();
  return {
    open: (keep) => openRedisStore({ url, log: silent, ...(keep && { keep }) }),
    // The lease of the one runs out, and another process is there.
    depose: async () => {
      await openClient(url).del(FLEET_KEYS.leader);
      return (await (await openStore(url)).lead('two', 5000))!;
    },
  };
});
