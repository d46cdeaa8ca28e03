import { storeProblem } from '../fleet/store-problem.ts';
import { type Following, ServicesUnread } from '../replicas/following.ts';
import { CHANGES } from './idempotency.ts';
import type { App } from './route.ts';

/**
 * What people change is first read from the store, where other replicas may have written since: a caller whose last request went to another
 * replica finds what it did there, and is held to it. A store that cannot be used refuses the change at once.
 */
export function freshWrites(app: App, following: Following): void {
  app.addHook('preHandler', async (request) => {
    const isForPeople = request.routeOptions.config.scopes?.includes('operate');
    if (!isForPeople || !CHANGES.includes(request.method)) return;
    await following.look().catch((error: unknown) => {
      if (error instanceof ServicesUnread) return; // a change of one of these reads it again, and tells why it cannot
      throw storeProblem(error);
    });
  });
}
