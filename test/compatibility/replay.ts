import { readFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { close, listen } from '../../envoy/demo/http-server.ts';
import { projectRoot } from '../../scripts/project-root.ts';
import type { Recorded } from './play.ts';

/** The version that today's must get along with, by its files in this folder. */
export const OLDER = '0.1.0';
const folder = join(projectRoot, 'test/compatibility', OLDER);
export const OLDER_MODULE = join(folder, 'rekindle.wasm');
export const RECORDED = JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8')) as Recorded;

/** A control plane that can say only what an older one has said. */
export interface Replay {
  /** Goes on to the next revision of which the flag of catalog begins so. */
  advanceTo(flag: string): void;
  /** Bodies of the reports so far. */
  readonly reports: readonly string[];
  close(): Promise<void>;
}

export async function startReplay(port: number): Promise<Replay> {
  const { revisions, unchanged } = RECORDED;
  const reports: string[] = [];
  const waiting = new Set<ServerResponse>();
  let place = 0;
  let replied = 0;
  const now = () => revisions[place]!;
  const tell = (response: ServerResponse): void => {
    waiting.delete(response);
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }).end(now().directive);
  };
  const watch = (query: URLSearchParams, response: ServerResponse): void => {
    const { revision, hash } = now();
    if (query.get('revision') !== String(revision) || query.get('hash') !== hash) {
      tell(response);
      return;
    }
    waiting.add(response);
    const nothingNew = setTimeout(
      () => waiting.delete(response) && response.writeHead(304, unchanged).end(),
      Number(query.get('wait')) * 1000,
    );
    response.once('close', () => {
      clearTimeout(nothingNew);
      waiting.delete(response);
    });
  };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? '/', 'http://older');
    if (url.pathname.endsWith('/directive')) return watch(url.searchParams, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    reports.push(Buffer.concat(chunks).toString('utf8'));
    const { replies } = now();
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(replies[replied++ % replies.length]);
  });
  await listen(server, port);
  return {
    reports,
    advanceTo: (flag) => {
      const next = revisions.findIndex((revision, index) => index > place && revision.flag.startsWith(flag));
      if (next < 0) throw new Error(`after revision ${now().revision} there is none with ${flag}`);
      place = next;
      replied = 0;
      for (const response of [...waiting]) tell(response);
    },
    close: () => close(server),
  };
}
