import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';

interface ChainExports {
  clearChain(): void;
  addRung(kind: number): void;
  nextRung(phase: number, after: number, repeatable: boolean): number;
}

const KINDS = ['stale', 'cluster', 'static'] as const;
const PHASES = ['request', 'response'] as const;
type Kind = (typeof KINDS)[number];
type Phase = (typeof PHASES)[number];

let filter: ASUtil & ChainExports;

beforeAll(async () => {
  filter = await loadFilter<ChainExports>('domain-formulas');
});

/** The rungs in the order in which they are tried while none can answer. */
function tried(chain: Kind[], phase: Phase, repeatable: boolean): number[] {
  filter.clearChain();
  for (const kind of chain) filter.addRung(KINDS.indexOf(kind));
  const order: number[] = [];
  let rung = filter.nextRung(PHASES.indexOf(phase), -1, repeatable);
  while (rung >= 0 && order.length <= chain.length) {
    order.push(rung);
    rung = filter.nextRung(PHASES.indexOf(phase), rung, repeatable);
  }
  return order;
}

test.for<{ name: string; chain: Kind[]; phase: Phase; repeatable: boolean; order: number[] }>([
  { name: 'refused: as declared', chain: ['stale', 'cluster', 'static'], phase: 'request', repeatable: true, order: [0, 1, 2] },
  { name: 'refused: a body can be sent elsewhere', chain: ['cluster', 'static'], phase: 'request', repeatable: false, order: [0, 1] },
  {
    name: 'failed: what answers at once comes first',
    chain: ['cluster', 'stale', 'static'],
    phase: 'response',
    repeatable: true,
    order: [1, 2, 0],
  },
  {
    name: 'failed: no call-out for what must not be repeated',
    chain: ['cluster', 'stale'],
    phase: 'response',
    repeatable: false,
    order: [1],
  },
  { name: 'failed: two clusters as declared', chain: ['cluster', 'cluster'], phase: 'response', repeatable: true, order: [0, 1] },
  { name: 'nothing declared', chain: [], phase: 'request', repeatable: true, order: [] },
  { name: 'nothing left that may be tried', chain: ['cluster'], phase: 'response', repeatable: false, order: [] },
])('$name', ({ chain, phase, repeatable, order }) => {
  expect(tried(chain, phase, repeatable)).toEqual(order);
});

test('law: every rung is tried once, clusters last and only when repeatable in the response phase', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...KINDS), { maxLength: 8 }),
      fc.constantFrom(...PHASES),
      fc.boolean(),
      (chain, phase, repeatable) => {
        const rungs = [...chain.keys()];
        const atOnce = rungs.filter((rung) => chain[rung] !== 'cluster');
        const calls = rungs.filter((rung) => chain[rung] === 'cluster' && repeatable);
        expect(tried(chain, phase, repeatable)).toEqual(phase === 'request' ? rungs : [...atOnce, ...calls]);
      },
    ),
  );
});
