import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../scripts/project-root.ts';
import { type Child, startChild, tailOf } from './child.ts';
import { waitFor } from './wait.ts';

/**
 * Starts the control plane on `port`, with its embedded store and its log in `folder`, and waits until it is ready. On Redis it is only by
 * its settings, whatever the environment of this process says.
 */
export async function startControlPlane(
  port: number,
  folder: string,
  settings: Readonly<Record<string, string>> = {},
  name = 'control-plane',
): Promise<Child> {
  const child = await startChild({
    name: name.replace('-', ' '),
    command: process.execPath,
    args: [
      '--import',
      pathToFileURL(join(projectRoot, 'envoy/demo/end-with-parent.mjs')).href,
      join(projectRoot, 'dist/control-plane/main.js'),
    ],
    env: { REKINDLE_PORT: String(port), REKINDLE_DATA_DIR: join(folder, 'store'), REDIS_URL: '', ...settings },
    logFile: join(folder, `${name}.log`),
    node: true,
  });
  let ended = false;
  void child.exited.then(() => {
    ended = true;
  });
  const answer = await waitFor(
    'the control plane to be ready',
    async () => {
      if (ended) return 'ended';
      const { status } = await fetch(`http://127.0.0.1:${port}/readyz`);
      return status === 200 ? 'ready' : null;
    },
    20_000,
  );
  if (answer === 'ended') throw new Error(`the control plane ended at its start:\n${tailOf(child.logFile)}`);
  return child;
}

/** Creates or replaces the policy of its service, and gives the revision of the directive that carries it. */
export async function putPolicy(port: number, policy: { readonly service: string }, host = '127.0.0.1'): Promise<number> {
  const base = `http://${host}:${port}/v1`;
  const present = await fetch(`${base}/policies/${policy.service}`);
  if (present.status === 401) throw new Error('the store holds access tokens, of which the demo has none: remove it to begin anew');
  const etag = present.headers.get('etag');
  const condition: Record<string, string> = present.status === 404 || etag === null ? { 'if-none-match': '*' } : { 'if-match': etag };
  const response = await fetch(`${base}/policies/${policy.service}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...condition },
    body: JSON.stringify(policy),
  });
  if (!response.ok) throw new Error(`the control plane refused the policy: ${response.status} ${await response.text()}`);
  const directive = (await (await fetch(`${base}/services/${policy.service}/directive`)).json()) as { revision: number };
  return directive.revision;
}
