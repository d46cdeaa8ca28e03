// The health check of the container image: exit code 0 when the control plane with these settings says that it is ready.
import { isIP } from 'node:net';
import { readSettings } from './settings.ts';

const WITHIN_MS = 2000;

const read = readSettings(process.env);
if ('problems' in read) end(read.problems.join('\n'));
const { host, port } = read.settings;
try {
  const response = await fetch(`http://${reachable(host)}:${port}/readyz`, { signal: AbortSignal.timeout(WITHIN_MS) });
  if (!response.ok) end(await response.text());
} catch (error) {
  const { message, cause } = error as Error;
  end(cause instanceof Error ? cause.message : message);
}

/** Who listens on all addresses is asked on loopback. */
function reachable(address: string): string {
  if (address === '0.0.0.0') return '127.0.0.1';
  if (address === '::') return '[::1]';
  return isIP(address) === 6 ? `[${address}]` : address;
}

function end(problem: string): never {
  console.error(`rekindle: ${problem}`);
  process.exit(1);
}
