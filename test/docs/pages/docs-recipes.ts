import { outage } from '../outage.ts';
import type { PageFixture } from '../page-fixture.ts';

export const fixture: PageFixture = { before: { 'A checkout that must never be stale': outage } };
