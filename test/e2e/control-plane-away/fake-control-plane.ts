import { createServer, type ServerResponse } from 'node:http';
import { close, listen, readJson, sendJson } from '../../../envoy/demo/http-server.ts';

/** A control plane that answers watches with whatever a test gives it, once each, and otherwise lets them wait. */
export interface FakeControlPlane {
  /** Answers the watch that waits, or the next one. */
  give(status: number, body: string): void;
  /** What replies to reports say from now on. */
  name(lineage: string, revision: number): void;
  /** Query of each watch so far. */
  watches(): readonly URLSearchParams[];
  reports(): readonly unknown[];
  close(): Promise<void>;
}

export async function startFakeControlPlane(port: number): Promise<FakeControlPlane> {
  const answers: { status: number; body: string }[] = [];
  const waiting: ServerResponse[] = [];
  const watches: URLSearchParams[] = [];
  const reports: unknown[] = [];
  let identity = { lineage: 'first', revision: 0 };

  const serve = (): void => {
    while (waiting.length > 0 && answers.length > 0) {
      const { status, body } = answers.shift() ?? { status: 500, body: '' };
      waiting.shift()?.writeHead(status, { 'content-type': 'application/json' }).end(body);
    }
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (url.pathname === '/v1/services/shop/directive') {
      watches.push(url.searchParams);
      waiting.push(response);
      response.once('close', () => {
        const place = waiting.indexOf(response);
        if (place >= 0) waiting.splice(place, 1);
      });
      serve();
    } else if (url.pathname === '/v1/services/shop/reports') {
      readJson(request)
        .then((report) => reports.push(report))
        .then(() => sendJson(response, 200, { ...identity, governorAgeMs: 0, permits: [] }))
        .catch(() => response.destroy());
    } else {
      sendJson(response, 404, {});
    }
  });
  await listen(server, port);
  return {
    give: (status, body) => {
      answers.push({ status, body });
      serve();
    },
    name: (lineage, revision) => {
      identity = { lineage, revision };
    },
    watches: () => watches,
    reports: () => reports,
    close: () => close(server),
  };
}
