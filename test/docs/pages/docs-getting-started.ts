import type { PageFixture } from '../page-fixture.ts';

export const fixture: PageFixture = {
  stack: 'none',
  unchecked: {
    'pip install': 'fetches Envoy, which the test has found already',
    'PATH=$PWD/.cache': 'the same',
  },
};
