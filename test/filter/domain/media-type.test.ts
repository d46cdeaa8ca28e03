import type { ASUtil } from '@assemblyscript/loader';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadFilter } from '../compile.ts';
import { withStrings } from './strings.ts';

interface MediaTypeExports {
  suitable(accept: number, types: number): number;
}

const TYPES = ['text/html; charset=utf-8', 'application/json', 'text/plain'];

let filter: ASUtil & MediaTypeExports;
beforeAll(async () => {
  filter = await loadFilter<MediaTypeExports>('domain-media-type');
});

const suitable = (accept: string, types: readonly string[] = TYPES) =>
  withStrings(filter, (put) => filter.suitable(put(accept), put(types.join('|'))));

test.for([
  { accept: '', is: 'text/html' },
  { accept: '*/*', is: 'text/html' },
  { accept: 'application/json', is: 'application/json' },
  { accept: 'Application/JSON', is: 'application/json' },
  { accept: 'text/html', is: 'text/html' },
  { accept: 'text/*', is: 'text/html' },
  { accept: 'text/*;q=0.5, application/json;q=0.4', is: 'text/html' },
  { accept: 'text/html;q=0, text/*', is: 'text/plain' },
  { accept: 'text/html;q=0.1,*/*', is: 'application/json' },
  { accept: '*/*;q=0.1, text/plain', is: 'text/plain' },
  { accept: 'text/html ; q=0.2 , application/json ; Q=0.3', is: 'application/json' },
  { accept: 'text/plain;q=1.000, application/json;q=0.999', is: 'text/plain' },
  { accept: 'application/json;q=0.001', is: 'application/json' },
  { accept: 'application/json;version=2;q=0.9, text/html;q=0.8', is: 'application/json' },
  { accept: 'text/html;level="1,2", application/json;q=0.5', is: 'text/html' },
  { accept: 'application/json;q=0.2, application/json;q=0.9, text/html;q=0.5', is: 'application/json' },
  { accept: 'image/png', is: 'text/html' },
  { accept: '*/*;q=0', is: 'text/html' },
  { accept: 'text/html;q=0', is: 'text/html' },
  { accept: 'text/html;q=, application/json;q=0.5', is: 'text/html' },
  { accept: 'application/json;q=high, text/html;q=0.9', is: 'application/json' },
  { accept: 'application', is: 'text/html' },
  { accept: 'application/', is: 'text/html' },
  { accept: '/json', is: 'text/html' },
  { accept: 'applicatiom/json', is: 'text/html' },
  { accept: 'application/jso*', is: 'text/html' },
])('accept "$accept": $is', ({ accept, is }) => {
  expect(TYPES[suitable(accept)]?.split(';')[0]).toBe(is);
});

test('a browser gets the page, a program its data', () => {
  expect(suitable('text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8')).toBe(0);
  expect(suitable('application/json, text/plain, */*')).toBe(1);
});

test('law: whatever the header and the types say, the answer is one of the types', () => {
  const part = fc.constantFrom('text', 'html', '*', '/', ';', ',', 'q', '=', '0', '.', '5', '"', '\\', ' ', '\t', '|', 'application/json');
  const text = fc.array(part, { maxLength: 40 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, text, (accept, types) => {
      const place = suitable(accept, [types]);
      expect(place).toBeGreaterThanOrEqual(0);
      expect(place).toBeLessThan(types.split('|').length);
    }),
    { numRuns: 3000 },
  );
});
