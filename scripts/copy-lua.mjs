// Puts the scripts of the Redis store beside its compiled code, which reads them when it starts.
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

const folder = 'control-plane/store/redis';
cpSync(join(root, folder), join(root, 'dist', folder), { recursive: true, filter: (path) => !path.endsWith('.ts') });
