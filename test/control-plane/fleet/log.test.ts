import { expect, test } from 'vitest';
import { buildLog } from '../../../control-plane/log.ts';

test('a line is one JSON object, and no secret gets into it', () => {
  const lines: string[] = [];
  const log = buildLog('info', { write: (line: string) => void lines.push(line) });
  const headers = { authorization: 'Bearer hush', host: 'here' };
  log.info({ req: { headers }, token: 'hush', err: Object.assign(new Error('no'), { request: { headers } }) }, 'told');
  log.info({ service: 'shop', from: 'ENABLED' }, 'transition');
  expect(lines.join('')).not.toContain('hush');
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { msg: 'told', token: '[redacted]', req: { headers: { authorization: '[redacted]', host: 'here' } } },
    { msg: 'transition', service: 'shop' },
  ]);
});
