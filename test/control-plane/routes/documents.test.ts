import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withDefaults } from '../../../control-plane/contract/defaults.ts';
import { DocumentReader, isRefused, MAX_PROBLEMS } from '../../../control-plane/contract/documents.ts';
import { POLICY_EXAMPLE } from '../../../control-plane/contract/examples.ts';
import { nearest } from '../../../control-plane/contract/nearest.ts';
import { Policy } from '../../../control-plane/contract/policy.ts';
import { readPolicy } from '../../../control-plane/contract/policy-document.ts';
import { OverrideRequest } from '../../../control-plane/contract/rest/overrides.ts';

const policies = new DocumentReader(Policy);
const overrides = new DocumentReader(OverrideRequest);

/** Puts `value` where the path leads, in a copy of the example. */
function broken(path: (string | number)[], value: unknown): unknown {
  const copy = structuredClone(POLICY_EXAMPLE) as unknown as Record<string | number, unknown>;
  const parent = path.slice(0, -1).reduce<Record<string | number, unknown>>((inner, key) => {
    inner[key] ??= {};
    return inner[key] as Record<string | number, unknown>;
  }, copy);
  if (value === undefined) delete parent[path.at(-1)!];
  else parent[path.at(-1)!] = value;
  return copy;
}

describe('a problem names its place, what is allowed there, and what was found', () => {
  // biome-ignore format: one row, one line
  const rows: { path: string; keys: (string | number)[]; value: unknown; reason: string }[] = [
    { path: 'features[0].breaker.openMs', keys: ['features', 0, 'breaker', 'openMs'], value: 'x', reason: 'must be an integer, got "x"' },
    { path: 'features[0].breaker.openMs', keys: ['features', 0, 'breaker', 'openMs'], value: 99, reason: 'must be at least 100, got 99' },
    { path: 'features[0].breaker.openMs', keys: ['features', 0, 'breaker', 'openMs'], value: 2_592_000_001, reason: 'must be at most 2592000000, got 2592000001' },
    { path: 'features[0].breaker.openMs', keys: ['features', 0, 'breaker', 'openMs'], value: null, reason: 'must be an integer, got null' },
    { path: 'features[0].breaker', keys: ['features', 0, 'breaker'], value: [1, 2], reason: 'must be an object, got an array of 2' },
    { path: 'features[0].breaker.jitter', keys: ['features', 0, 'breaker', 'jitter'], value: 'ful', reason: 'must be one of full, equal, decorrelated, none, got "ful"; did you mean full?' },
    { path: 'features[0].brekaer', keys: ['features', 0, 'brekaer'], value: {}, reason: 'is not a known field; did you mean breaker?' },
    { path: 'features[0].routes', keys: ['features', 0, 'routes'], value: [], reason: 'must have at least 1 items, got 0' },
    { path: 'features[0].name', keys: ['features', 0, 'name'], value: undefined, reason: 'is required' },
    { path: 'features[0].name', keys: ['features', 0, 'name'], value: 'Café', reason: 'must match ^[a-z0-9][a-z0-9-]{0,62}$, got "Café"' },
    { path: 'features[0].description', keys: ['features', 0, 'description'], value: 'x'.repeat(1025), reason: 'must have at most 1024 characters, got 1025' },
    { path: 'features[0].routes[0].path', keys: ['features', 0, 'routes', 0, 'path'], value: {}, reason: 'must have exactly one of exact, prefix, template; got none' },
    { path: 'features[0].fallback[0]', keys: ['features', 0, 'fallback', 0], value: { stale: {}, static: {} }, reason: 'must have exactly one of stale, cluster, static; got stale, static' },
    { path: 'features[0].fallback[1].static.headers["A b"]', keys: ['features', 0, 'fallback', 1, 'static', 'headers', 'A b'], value: 'x', reason: 'is not a valid name here; it must match ^[a-z0-9!#$%&\'*+.^_`|~-]{1,128}$' },
  ];
  test.for(rows)('$path: $reason', ({ path, keys, value, reason }) => {
    const read = policies.read(broken(keys, value));
    expect(isRefused(read) && read.problems.map((problem) => [problem.path, problem.reason])).toContainEqual([path, reason]);
  });

  test('alternatives are named together', () => {
    const read = overrides.read({ kind: 'HOLD', reason: 'x', expiresInMs: 'soon' });
    expect(isRefused(read) && read.problems.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
      'expiresInMs must be an integer from 1000 to 2592000000 or "never", got "soon"',
    ]);
  });

  test('line breaks from outside do not leave the line', () => {
    const read = policies.read({ service: 'a\r\nSet-Cookie: x', features: [], 'x\ny': 1 });
    expect(isRefused(read) && read.problems.every(({ path, reason }) => !/[\r\n]/.test(path + reason))).toBe(true);
  });
});

describe('reading a document', () => {
  test('law: any JSON is either read, and then is valid, or refused with places and reasons; nothing throws', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const read = policies.read(value);
        if (isRefused(read)) {
          expect(read.problems.length).toBeGreaterThan(0);
          expect(read.problems.length).toBeLessThanOrEqual(MAX_PROBLEMS);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('law: a policy with something wrong anywhere is refused as a value, with a problem at or above that place', () => {
    const places = fc.constantFrom<(string | number)[]>(
      ['features'],
      ['features', 0],
      ['features', 0, 'breaker'],
      ['features', 0, 'breaker', 'halfOpen'],
      ['features', 0, 'fallback', 1, 'static', 'headers'],
      ['features', 1, 'dependsOn', 0],
      ['features', 1, 'recovery', 'rampPercent'],
      ['recovery'],
      ['governance', 'reportMs'],
    );
    fc.assert(
      fc.property(places, fc.jsonValue({ maxDepth: 2 }), (place, value) => {
        const read = readPolicy(policies, broken(place, value), 'shop');
        if (!('problems' in read)) return;
        for (const { path, reason } of read.problems) expect([typeof path, reason.length > 0]).toEqual(['string', true]);
      }),
      { numRuns: 500 },
    );
  });

  test('filling in defaults twice changes nothing', () => {
    const once = withDefaults(Policy, structuredClone(POLICY_EXAMPLE));
    expect(withDefaults(Policy, structuredClone(once))).toEqual(once);
  });

  test('what is filled in is not shared between two documents', () => {
    const [first, second] = [1, 2].map(() => withDefaults(Policy, { features: [{}] }) as Policy);
    first!.features[0]!.recovery.rampPercent.push(7);
    expect(second!.features[0]!.recovery.rampPercent).not.toContain(7);
  });
});

describe('the rules beyond the schema are told along with what the schema refuses', () => {
  test('where the rest of the document stands', () => {
    const draft = broken(['features', 0, 'priority'], 'high') as typeof POLICY_EXAMPLE;
    draft.features[1]!.dependsOn = [{ feature: 'nowhere', hard: false }];
    const read = readPolicy(policies, draft, 'shop');
    expect('problems' in read && read.problems.map(({ path }) => path)).toEqual([
      'features[0].priority',
      'features[1].dependsOn[0].feature',
    ]);
  });

  test('but not about places that are wrong already', () => {
    const draft = broken(['features', 1, 'dependsOn'], 'catalog');
    const read = readPolicy(policies, draft, 'shop');
    expect('problems' in read && read.problems.map(({ path }) => path)).toEqual(['features[1].dependsOn']);
  });
});

describe('renamedFrom', () => {
  const named = (renames: Readonly<Record<string, string>>) => {
    const features = Object.entries(renames).map(([name, renamedFrom]) => ({
      name,
      routes: [{ path: { prefix: `/${name}` } }],
      ...(renamedFrom === '' ? {} : { renamedFrom }),
    }));
    const read = readPolicy(policies, { service: 'shop', features }, 'shop');
    return 'problems' in read ? read.problems : [];
  };
  const notTwice = 'is renamedFrom of features[0] too: old';

  test.for([
    { name: 'takes a name that is gone', renames: { items: 'old', checkout: '' }, problems: [] },
    { name: 'takes a name each', renames: { items: 'old', checkout: 'older' }, problems: [] },
    {
      name: 'is refused with the name of another feature of the document',
      renames: { items: 'checkout', checkout: '' },
      problems: [{ path: 'features[0].renamedFrom', reason: 'must not be the name of a feature of this policy: checkout' }],
    },
    {
      name: 'is refused with its own name',
      renames: { items: '', checkout: 'checkout' },
      problems: [{ path: 'features[1].renamedFrom', reason: 'must not be the name of a feature of this policy: checkout' }],
    },
    {
      name: 'is refused where an earlier feature has taken the name',
      renames: { items: 'old', checkout: 'old', cart: 'old' },
      problems: [
        { path: 'features[1].renamedFrom', reason: notTwice },
        { path: 'features[2].renamedFrom', reason: notTwice },
      ],
    },
  ])('$name', ({ renames, problems }) => {
    expect(named(renames)).toEqual(problems);
  });
});

test.for([
  ['brekaer', 'breaker'],
  ['Breaker', 'breaker'],
  ['breakers', 'breaker'],
  ['openms', 'openMs'],
  ['xyz', null],
  ['a', null],
  ['', null],
])('nearest to %s is %s', ([name, expected]) => {
  expect(nearest(name!, ['breaker', 'openMs', 'name', 'routes'])).toBe(expected);
});
