// Writes docs/policy.schema.json, the schema of policies for editors. `--check` only compares.
import { join } from 'node:path';
import { policySchema } from '../control-plane/contract/policy-schema.ts';
import { keepGenerated } from './generated-file.ts';
import { projectRoot } from './project-root.ts';

keepGenerated(join(projectRoot, 'docs/policy.schema.json'), `${JSON.stringify(policySchema(), null, 2)}\n`);
