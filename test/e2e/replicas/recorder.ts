import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { Directive } from '../../../control-plane/contract/directive.ts';
import { close, listen } from '../../../envoy/demo/http-server.ts';

/** A directive that a filter was sent, and what that filter held when it asked. */
export interface Sent {
  readonly replica: number;
  readonly held: { readonly lineage: string; readonly revision: number } | null;
  /** Whether the filter had the policy already, so that it may be left out. */
  readonly knewPolicy: boolean;
  readonly directive: Directive;
}

/** Stands between the filters and the replicas, and keeps what filters were sent. */
export interface Recorder {
  /** One for each replica, in their order. */
  readonly ports: readonly number[];
  readonly sent: readonly Sent[];
  /** Calls back once, when the replica has got the next report and not yet answered it. */
  onReport(replica: number, listener: () => void): void;
  close(): Promise<void>;
}

const directivePath = /^\/v1\/services\/[^/]+\/directive/;
const reportPath = /^\/v1\/services\/[^/]+\/reports$/;

export async function startRecorder(replicas: readonly number[]): Promise<Recorder> {
  const sent: Sent[] = [];
  const listeners: (() => void)[] = [];
  const servers = replicas.map((port, replica) =>
    createServer((asked, answer) => {
      forward(port, asked, answer, (status, body) => {
        if (status === 200 && directivePath.test(asked.url ?? '')) sent.push(sentOf(replica, asked, body));
      });
      if (!reportPath.test(asked.url ?? '')) return;
      const listener = listeners[replica];
      delete listeners[replica];
      if (listener) asked.once('end', () => setImmediate(listener));
    }),
  );
  const ports = await Promise.all(servers.map((server) => listen(server, 0)));
  return {
    ports,
    sent,
    onReport: (replica, listener) => {
      listeners[replica] = listener;
    },
    close: async () => {
      await Promise.all(servers.map(close));
    },
  };
}

/** Hands request and answer on; when either side hangs up, so does the other. */
function forward(port: number, asked: IncomingMessage, answer: ServerResponse, onBody: (status: number, body: string) => void): void {
  const { method, url, headers } = asked;
  const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (reply) => {
    const chunks: Buffer[] = [];
    answer.writeHead(reply.statusCode ?? 502, reply.headers);
    reply.on('data', (chunk: Buffer) => chunks.push(chunk));
    reply.once('end', () => onBody(reply.statusCode ?? 502, Buffer.concat(chunks).toString('utf8')));
    reply.once('error', () => answer.destroy());
    reply.pipe(answer);
  });
  onward.once('error', () => answer.destroy());
  answer.once('close', () => onward.destroy());
  asked.pipe(onward);
}

function sentOf(replica: number, asked: IncomingMessage, body: string): Sent {
  const query = new URL(asked.url ?? '', 'http://recorder').searchParams;
  const [lineage, revision] = [query.get('lineage'), query.get('revision')];
  const directive = JSON.parse(body) as Directive;
  const held = lineage === null || revision === null ? null : { lineage, revision: Number(revision) };
  const knewPolicy = held?.lineage === directive.lineage && query.get('policyRevision') === String(directive.policyRevision);
  return { replica, held, knewPolicy, directive };
}
