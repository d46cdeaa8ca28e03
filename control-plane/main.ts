import { randomUUID } from 'node:crypto';
import closeWithGrace from 'close-with-grace';
import { pino } from 'pino';
import { buildControlPlane } from './app.ts';
import { readSettings, type Settings, settingsHelp } from './settings.ts';
import { openLmdbStore } from './store/lmdb/lmdb-store.ts';
import { StoreUnusable } from './store/store.ts';

/** Whatever still runs after this is cut off. */
const CLOSE_WITHIN_MS = 5000;

if (process.argv.includes('--help')) {
  console.log(['Rekindle control plane. Settings are read from the environment:', ...settingsHelp()].join('\n'));
} else {
  const read = readSettings(process.env);
  if ('problems' in read) refuse(read.problems);
  else await run(read.settings);
}

async function run({ host, port, dataDir, logLevel, tickMs, maxWatchers, insecureBind }: Settings): Promise<void> {
  const log = pino({ level: logLevel, base: { process: process.pid } });
  const store = await openLmdbStore(dataDir).catch((error: unknown) => {
    if (error instanceof StoreUnusable) return refuse([error.message]);
    throw error;
  });
  // Monotonic since the start of the process, so that a step of the wall clock moves no deadline.
  const clock = () => Math.floor(performance.timeOrigin + performance.now());
  const holder = randomUUID();
  const { app, ticker, metrics } = await buildControlPlane({ store, clock, random: Math.random, log, holder, tickMs, maxWatchers });
  app.addHook('onClose', () => store.close());
  metrics.watchProcess();
  closeWithGrace({ delay: CLOSE_WITHIN_MS, logger: log }, async ({ signal, err }) => {
    if (err) log.fatal({ err }, 'stopping after an error');
    else log.info({ signal }, 'stopping');
    await app.close();
  });
  await app.listen({ host, port }).catch((error: Error) => refuse([`cannot listen on ${host} port ${port}: ${error.message}`]));
  ticker.start();
  if (insecureBind) log.warn({ host }, 'no access tokens: whoever reaches this port may change everything');
  else log.info({ host }, 'no access tokens are configured: listening on loopback only');
}

function refuse(problems: readonly string[]): never {
  for (const problem of problems) console.error(`rekindle: ${problem}`);
  process.exit(1);
}
