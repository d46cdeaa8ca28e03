import { createServer, type ServerResponse } from 'node:http';
import { close, listen, readJson, sendJson } from '../../../envoy/demo/http-server.ts';

/** A control plane that answers watches with whatever a test gives it, and otherwise lets them wait. */
export interface FakeControlPlane {
  /** Answers the watches that wait (all of them: the filter may have given up some), or else the next one. */
  give(status: number, body: string): void;
  /** What replies to reports say from now on; before the first call they are 404. */
  name(lineage: string, revision: number): void;
  /** Reports are answered 503 from now on, until the next `name`: no lease is renewed any more. */
  refuseReports(): void;
  /** Watches are answered "nothing new" after `ms`, as by a server that waits no longer. */
  confirmAfter(ms: number): void;
  /** Query of each watch so far. */
  watches(): readonly URLSearchParams[];
  reports(): readonly unknown[];
  close(): Promise<void>;
}

export async function startFakeControlPlane(port: number): Promise<FakeControlPlane> {
  let unsent: { status: number; body: string } | null = null;
  const waiting: ServerResponse[] = [];
  const watches: URLSearchParams[] = [];
  const reports: unknown[] = [];
  let identity: { lineage: string; revision: number } | null = null;
  let refusal = 404;
  let confirmMs: number | null = null;

  const serve = (): void => {
    if (unsent === null || waiting.length === 0) return;
    const { status, body } = unsent;
    unsent = null;
    for (const response of waiting.splice(0)) response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  };
  const confirm = (response: ServerResponse): void => {
    const place = waiting.indexOf(response);
    if (place < 0) return;
    waiting.splice(place, 1);
    response.writeHead(304).end();
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    if (url.pathname === '/v1/services/shop/directive') {
      watches.push(url.searchParams);
      waiting.push(response);
      if (confirmMs !== null && unsent === null) setTimeout(() => confirm(response), confirmMs);
      response.once('close', () => {
        const place = waiting.indexOf(response);
        if (place >= 0) waiting.splice(place, 1);
      });
      serve();
    } else if (url.pathname === '/v1/services/shop/reports') {
      readJson(request)
        .then((report) => reports.push(report))
        .then(() =>
          identity === null ? sendJson(response, refusal, {}) : sendJson(response, 200, { ...identity, governorAgeMs: 0, permits: [] }),
        )
        .catch(() => response.destroy());
    } else {
      sendJson(response, 404, {});
    }
  });
  await listen(server, port);
  return {
    give: (status, body) => {
      unsent = { status, body };
      serve();
    },
    name: (lineage, revision) => {
      identity = { lineage, revision };
    },
    refuseReports: () => {
      identity = null;
      refusal = 503;
    },
    confirmAfter: (ms) => {
      confirmMs = ms;
      for (const response of waiting) setTimeout(() => confirm(response), ms);
    },
    watches: () => watches,
    reports: () => reports,
    close: () => close(server),
  };
}
