import type { PageFixture } from '../page-fixture.ts';

export const fixture: PageFixture = {
  stack: 'none',
  unchecked: { 'cp build/rekindle.wasm': 'would put the module into the project itself' },
};
