import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTokenFile } from '../../../control-plane/access/token-file.ts';
import { temporaryFolder } from '../store/temporary-folder.ts';

const secret = `rekindle_${'Ab-_'.repeat(10)}`;

test.for([
  { name: 'a key', text: `tokens:\n- { ${secret}: alice }` },
  { name: 'the only key', text: `${secret}: {}` },
  { name: 'a name', text: `tokens:\n- { name: ${secret}, scope: admin, token: ${secret} }` },
  { name: 'a scope', text: `tokens:\n- { name: a, scope: ${secret}, token: short }` },
  { name: 'a hash', text: `tokens:\n- { name: a, scope: admin, sha256: ${secret} }` },
])('a secret that stands as $name is not told', ({ text }) => {
  const file = join(temporaryFolder(), 'tokens.yaml');
  writeFileSync(file, text);
  const read = readTokenFile(file);
  expect('problems' in read && read.problems.length).toBeGreaterThan(0);
  expect(JSON.stringify(read)).not.toContain(secret);
});
