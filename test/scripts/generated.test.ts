import { expect, test } from 'vitest';
import { capabilitiesOf } from '../../scripts/capabilities.ts';
import { replaceBlock } from '../../scripts/yaml-block.ts';

test('capabilities are the imports and the callbacks of a module, memory and version aside', () => {
  const text = (value: string): number[] => [value.length, ...Buffer.from(value)];
  const section = (id: number, bytes: number[]): number[] => [id, bytes.length, ...bytes];
  const exported = ['proxy_on_tick', 'proxy_on_memory_allocate', 'proxy_abi_version_0_2_1'].flatMap((name) => [...text(name), 0, 0]);
  const module = [
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 0, 0]),
    ...section(2, [1, ...text('env'), ...text('proxy_log'), 0, 0]),
    ...section(7, [3, ...exported]),
  ];
  expect(capabilitiesOf(Uint8Array.from(module))).toEqual(['proxy_log', 'proxy_on_tick']);
});

test('a block of a YAML text is replaced, and nothing else', () => {
  const text = 'a: 1\n  list: []\n  after: # why\n    b: 2\n    c: 3\nend: 4\n';
  expect(replaceBlock(text, 'list', ['- x'])).toBe('a: 1\n  list:\n    - x\n  after: # why\n    b: 2\n    c: 3\nend: 4\n');
  expect(replaceBlock(text, 'after', ['d: 5'])).toBe('a: 1\n  list: []\n  after:\n    d: 5\nend: 4\n');
  expect(() => replaceBlock(text, 'missing', [])).toThrow('no missing');
});
