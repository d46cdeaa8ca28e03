import type { Connection } from './connection.ts';

/** What this Redis is set to that costs something on the day that matters. Its INFO tells most, its CONFIG the rest, where it may be asked. */
export async function warnings(connection: Connection): Promise<readonly string[]> {
  const info = await connection.use((redis) => redis.info());
  const said = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const save = await connection.redis.config('GET', 'save').then(
    (reply) => (reply as string[])[1] ?? null,
    () => null, // managed ones forbid it
  );
  const found: string[] = [];
  const policy = said('maxmemory_policy');
  if (policy !== '' && policy !== 'noeviction') {
    found.push(
      `Redis may evict keys (maxmemory-policy ${policy}): a service whose state is evicted is put back from memory under a new lineage, ` +
        'or lost with its history if no process holds it; set maxmemory-policy noeviction',
    );
  }
  if (said('aof_enabled') === '0') {
    found.push(
      save === ''
        ? 'Redis keeps nothing over a restart (appendonly no, save ""): services come back only from processes that outlive it; set appendonly yes'
        : 'Redis loses what was written since its last snapshot when it crashes (appendonly no); set appendonly yes',
    );
  }
  if (said('role') === 'slave') found.push('REDIS_URL leads to a replica: nothing can be written until it leads to the primary');
  return found;
}
