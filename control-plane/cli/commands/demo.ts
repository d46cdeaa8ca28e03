import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { NewCommand } from '../cli.ts';
import { EXIT, type ExitCode, usage } from '../failure.ts';
import { packageFolder } from '../version.ts';

export const demoCommand: NewCommand = (act) =>
  new Command('demo')
    .description('run Envoy with the filter, a control plane, a shop and load on this machine, as `npm start` does')
    .addOption(
      new Option('--scenario <name>', 'play an outage, or an overload that retries keep alive, and end').choices(['outage', 'overload']),
    )
    .addOption(new Option('--duration <seconds>', 'end after this time rather than on Ctrl-C'))
    .action(
      act(async ({ endWith }, { scenario, duration }: { scenario?: string; duration?: string }) => {
        const script = join(packageFolder, 'scripts/start.mjs');
        if (!existsSync(script)) throw usage('the demo is part of the repository, which this installation is not');
        const args = [
          ...(scenario === undefined ? [] : ['--scenario', scenario]),
          ...(duration === undefined ? [] : ['--duration', duration]),
        ];
        endWith(await run(script, args));
      }),
    );

/** Runs a script of the repository on this terminal; Ctrl-C reaches it by itself, and it ends in its own time. */
function run(script: string, args: readonly string[]): Promise<ExitCode> {
  const child = spawn(process.execPath, [script, ...args], { stdio: 'inherit' });
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(signal === null ? ((code ?? EXIT.refused) as ExitCode) : EXIT.interrupted));
  });
}
