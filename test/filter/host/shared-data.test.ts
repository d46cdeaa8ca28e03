import { describe, expect, test } from 'vitest';
import { Result } from './enums.ts';
import { SharedData } from './shared-data.ts';
import { bodyBytes } from './text.ts';

const IMPOSSIBLE = 0xffffffff;

describe('shared data', () => {
  const withValue = () => {
    const shared = new SharedData();
    shared.set('vm', 'key', bodyBytes('old'), 0);
    return { shared, cas: shared.get('vm', 'key')!.cas };
  };

  test.for([
    { name: '0 writes whatever is there', pick: () => 0, result: Result.Ok },
    { name: 'the present cas writes', pick: (cas: number) => cas, result: Result.Ok },
    { name: 'another cas mismatches', pick: (cas: number) => cas + 1, result: Result.CasMismatch },
    { name: 'an impossible cas mismatches on a key that is there', pick: () => IMPOSSIBLE, result: Result.CasMismatch },
  ])('$name', ({ pick, result }) => {
    const { shared, cas } = withValue();
    expect(shared.set('vm', 'key', bodyBytes('new'), pick(cas))).toBe(result);
    expect(shared.get('vm', 'key')!.bytes).toEqual(bodyBytes(result === Result.Ok ? 'new' : 'old'));
  });

  test.for([0, 1, 77, IMPOSSIBLE])('a missing key is inserted with cas %i', (cas) => {
    const shared = new SharedData();
    expect(shared.set('vm', 'key', bodyBytes('new'), cas)).toBe(Result.Ok);
    expect(shared.get('vm', 'key')).toBeDefined();
  });

  test('the counter is one for all keys and vm_ids, and never 0', () => {
    const { shared, cas } = withValue();
    shared.set('other', 'key', bodyBytes('x'), 0);
    shared.set('vm', 'second', bodyBytes('y'), 0);
    expect(cas).toBeGreaterThan(0);
    expect([shared.get('other', 'key')!.cas, shared.get('vm', 'second')!.cas]).toEqual([cas + 1, cas + 2]);
  });

  test('vm_ids do not see each other', () => {
    const { shared } = withValue();
    expect(shared.get('other', 'key')).toBeUndefined();
  });

  test('a value is a copy', () => {
    const bytes = new Uint8Array([1]);
    const shared = new SharedData();
    shared.set('vm', 'key', bytes, 0);
    bytes[0] = 2;
    expect([...shared.get('vm', 'key')!.bytes]).toEqual([1]);
  });
});
