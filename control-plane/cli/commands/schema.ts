import { Command } from 'commander';
import type { NewCommand } from '../cli.ts';

export const schemaCommand: NewCommand = (act) =>
  new Command('schema').description('the JSON Schema of policies, for editors: # yaml-language-server: $schema=FILE').action(
    act(async ({ out }) => {
      const { policySchema } = await import('../../contract/policy-schema.ts');
      out.lines([JSON.stringify(policySchema(), null, 2)]);
    }),
  );
