import { describe, expect, test } from 'vitest';
import { LineCounter, parseDocument } from 'yaml';
import { keysOf, positionOf } from '../../../control-plane/cli/files/position.ts';
import { type Format, Output } from '../../../control-plane/cli/output/output.ts';
import { type Column, tableOf } from '../../../control-plane/cli/output/table.ts';
import { clipped, harmless, widthOf } from '../../../control-plane/cli/output/width.ts';
import { msOf, percentOf, spanOf } from '../../../control-plane/cli/output/words.ts';
import { differences } from '../../../control-plane/cli/policy-diff.ts';
import { dotted } from '../../../control-plane/contract/problem.ts';

const columns: Column<{ name: string; state: string; why: string }>[] = [
  { title: 'NAME', cell: ({ name }) => name },
  { title: 'STATE', cell: ({ state }) => ({ text: state, tone: state === 'on' ? 'good' : 'bad' }) },
  { title: 'WHY', cell: ({ why }) => why },
];
const rows = [
  { name: 'カタログ', state: 'on', why: '' },
  { name: 'é', state: 'off', why: 'two\nlines \u001b[31mred\u202e' },
  { name: '👩‍👩‍👧x', state: 'on', why: 'a reason that is rather long' },
];

test('columns stand under each other, however wide their characters are', () => {
  expect(tableOf(rows, columns, { columns: null, paint: (text) => text })).toEqual([
    'NAME      STATE  WHY',
    'カタログ  on     -',
    'é         off    two lines \ufffd[31mred\ufffd',
    '👩‍👩‍👧x       on     a reason that is rather long',
  ]);
});

test('a narrow terminal cuts the last column, and colours take no room', () => {
  expect(tableOf(rows.slice(2), columns, { columns: 30, paint: (text, tone) => (tone === 'good' ? `<${text}>` : text) })).toEqual([
    'NAME  STATE  WHY',
    '👩‍👩‍👧x   <on>     a reason that is…',
  ]);
});

test.for([
  ['abc', 3],
  ['日本', 4],
  ['e\u0301', 1],
  ['❤️', 2],
  ['🇩🇪', 2],
  ['ｆ', 2],
  ['\u200b', 0],
  ['', 0],
] as const)('%j takes %d columns', ([text, width]) => {
  expect(widthOf(text)).toBe(width);
});

test('a text is cut between characters', () => {
  expect(clipped('日本語', 5)).toBe('日本…');
  expect(clipped('日本語', 4)).toBe('日…');
  expect(clipped('abc', 3)).toBe('abc');
  expect(harmless('a\r\nb\tc\u0007')).toBe('a b c\ufffd');
});

test.for([
  [0, '0ms'],
  [-5, '0ms'],
  [999, '999ms'],
  [59_600, '1m'],
  [5_400_000, '1h30m'],
  [90_061_000, '1d1h'],
] as const)('%d ms are %s', ([ms, text]) => expect(spanOf(ms)).toBe(text));

test.for([
  ['90s', 90_000],
  ['1h30m', 5_400_000],
  ['250ms', 250],
  ['1d', 86_400_000],
  ['', null],
  ['5', null],
  ['5x', null],
  ['1h 30m', null],
] as const)('%s is read as %s ms', ([text, ms]) => expect(msOf(text)).toBe(ms));

test('shares are told in percent', () => {
  expect([0, 1, 2500, 3333, 10_000].map(percentOf)).toEqual(['0%', '0.01%', '25%', '33.33%', '100%']);
});

describe('colour', () => {
  const said = (format: Format, hasColour: boolean): string => {
    let text = '';
    const out = (chunk: string) => {
      text += chunk;
    };
    const terminal = { out, err: () => undefined, columns: null, liveColumns: null, hasColour };
    new Output(terminal, format).list(rows.slice(0, 1), columns, '');
    return text;
  };
  test('comes with a terminal only, and never with data', () => {
    expect(said('table', true)).toContain('\u001b[32mon\u001b[0m');
    expect(said('table', false) + said('json', true) + said('yaml', true)).not.toContain('\u001b');
  });
});

describe('places', () => {
  const text = 'a:\n  - b: 1\n    "c d": &x { e: 2 }\n  - *x\n';
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  test.for([
    ['', 1, 1],
    ['a', 1, 1],
    ['a[0].b', 2, 5],
    ['a[0]["c d"]', 3, 5],
    ['a[0]["c d"].e', 3, 17],
    ['a[1].e', 3, 17],
    ['a[0].missing', 2, 5],
    ['z.y', 1, 1],
  ] as const)('%s is at line %d, column %d', ([path, line, column]) => {
    expect(positionOf(document, lines, keysOf(path))).toEqual({ line, column });
  });

  test.for([[['features', '2', 'headers', 'x y']], [['a', 'b.c', '"]']], [['a-b', '0', '1']]])('paths of %j lead back to it', ([keys]) => {
    expect(keysOf(dotted(keys!))).toEqual(keys);
  });
});

test('nothing is different between equal documents, and a renamed feature is the same feature', () => {
  const before = { features: [{ name: 'a', x: 1 }, { name: 'b' }] };
  expect(differences(before, structuredClone(before))).toEqual([]);
  expect(differences(before, { features: [{ name: 'c', renamedFrom: 'a', x: 1 }] })).toEqual([
    { path: 'features[b]', kind: 'removed', before: { name: 'b' } },
    { path: 'features[c].name', kind: 'changed', before: 'a', after: 'c' },
    { path: 'features[c].renamedFrom', kind: 'added', after: 'a' },
  ]);
});
