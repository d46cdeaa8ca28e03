import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';

test('the release module is at most 64 KiB', () => {
  expect(statSync(join(projectRoot, 'build/rekindle.wasm')).size).toBeLessThanOrEqual(64 * 1024);
});
