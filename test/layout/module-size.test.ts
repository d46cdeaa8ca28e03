import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { projectRoot } from '../../scripts/project-root.ts';

// The aim is 64 KiB (docs/adr/0006-module-size.md says why it is not met yet); until then the module must not grow unnoticed.
test('the release module has not grown', () => {
  expect(statSync(join(projectRoot, 'build/rekindle.wasm')).size).toBeLessThanOrEqual(99.5 * 1024);
});
