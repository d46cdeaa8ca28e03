import { randomUUID } from 'node:crypto';
import closeWithGrace from 'close-with-grace';
import type { Token } from './access/access.ts';
import { readTokenFile } from './access/token-file.ts';
import { buildControlPlane } from './app.ts';
import { buildLog } from './log.ts';
import { exposure, isLoopback, readSettings, type Settings, settingsHelp } from './settings.ts';
import { openStore } from './store/open-store.ts';
import { StoreFault, StoreUnusable } from './store/store.ts';
import { VERSION } from './version.gen.ts';

/** Whatever still runs after this is cut off. */
const CLOSE_WITHIN_MS = 4500;
const WRONG_TOKENS_PER_MINUTE = 60;

const [argument] = process.argv.slice(2);
if (argument === '--help') {
  console.log(['Rekindle control plane. Settings are read from the environment:', ...settingsHelp()].join('\n'));
} else {
  const read = readSettings(process.env);
  const problems = 'problems' in read ? [...read.problems] : [];
  if (argument !== undefined) problems.unshift(`unknown argument ${argument}; settings are read from the environment, --help lists them`);
  const file = process.env['REKINDLE_TOKENS_FILE'] ? readTokenFile(process.env['REKINDLE_TOKENS_FILE']) : { tokens: [] };
  if ('problems' in file) problems.push(...file.problems);
  if ('settings' in read && 'tokens' in file && problems.length === 0) await run(read.settings, file.tokens);
  else refuse(problems);
}

async function run(settings: Settings, tokens: readonly Token[]): Promise<void> {
  const { host, port, logLevel } = settings;
  const log = buildLog(logLevel);
  log.info({ version: VERSION }, 'starting');
  const store = await openStore(settings, log).catch((error: unknown) => {
    if (error instanceof StoreUnusable) return refuse([error.message]);
    throw error;
  });
  // Monotonic since the start of the process, so that a step of the wall clock moves no deadline.
  const clock = store.clock ?? (() => Math.floor(performance.timeOrigin + performance.now()));
  const { app, ticker, replicas, metrics, access } = await buildControlPlane({
    store,
    clock,
    random: Math.random,
    log,
    holder: randomUUID(),
    tickMs: settings.tickMs,
    maxWatchers: settings.maxWatchers,
    copyBudgetBytes: settings.sharedCopiesMib * 1024 * 1024,
    access: { ...settings, tokens, wrongTokensPerMinute: WRONG_TOKENS_PER_MINUTE, isLoopback: isLoopback(host) },
  }).catch((error: unknown) => {
    if (error instanceof StoreFault) return refuse([`the store cannot be used: ${error.message}`]);
    throw error;
  });
  const exposed = access.isOpen ? exposure(settings) : null;
  if (exposed !== null) refuse([exposed]);
  app.addHook('onClose', () => store.close());
  metrics.watchProcess();
  closeWithGrace({ delay: CLOSE_WITHIN_MS, logger: log }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'stopping after an error');
    else log.info({ signal }, 'stopping');
    await app.close();
  });
  await app.listen({ host, port }).catch((error: Error) => refuse([`cannot listen on ${host} port ${port}: ${error.message}`]));
  replicas?.start();
  ticker.start();
  if (!access.isOpen) {
    log.info({ host, tokens: access.list().length }, 'access needs a token');
    if (!access.list().some(({ scope }) => scope === 'admin'))
      log.warn('no access token has scope admin: nobody can create tokens or take a backup; add one to REKINDLE_TOKENS_FILE');
  } else if (isLoopback(host)) log.info({ host }, 'no access tokens are configured: listening on loopback only');
  else log.warn({ host }, 'no access tokens: whoever reaches this port may change everything');
}

function refuse(problems: readonly string[]): never {
  for (const problem of problems) console.error(`rekindle: ${problem}`);
  process.exit(1);
}
