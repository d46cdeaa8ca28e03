import { outage } from '../outage.ts';
import type { PageFixture } from '../page-fixture.ts';

export const fixture: PageFixture = {
  before: { 'Step into a recovery': outage },
};
