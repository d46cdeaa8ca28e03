import type { PageFixture } from '../page-fixture.ts';

export const fixture: PageFixture = { stack: 'none' };
