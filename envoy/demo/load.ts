import { Agent, type RequestOptions, request } from 'node:http';
import { FEATURES, type ShopFeature } from './shop-mode.ts';

/** What a client saw of one request. */
export interface Answer {
  readonly feature: ShopFeature;
  /** Monotonic ms at which the request was sent. */
  readonly sentAtMs: number;
  readonly latencyMs: number;
  /** null: no answer (connection lost, or none in time). */
  readonly status: number | null;
  /** The rung that answered in the upstream's place; null: the answer is the upstream's, or an error. */
  readonly rung: string | null;
  readonly reason: string | null;
}

export interface LoadOptions {
  /** Loopback, if not given. */
  readonly host?: string;
  readonly port: number;
  /** Requests per second. */
  readonly rates: Readonly<Record<ShopFeature, number>>;
  readonly onAnswer: (answer: Answer) => void;
}

export interface Load {
  /** Sends nothing more and waits for the answers that are due. */
  stop(): Promise<void>;
}

/** A client waits this long for an answer. */
const patienceMs = 8000;
/** How often due requests are sent. */
const tickMs = 10;

/** Agents that take turns, so that every worker of Envoy gets connections. */
const agentCount = 12;
/** Of each agent: together enough that no request waits for a connection, not even when each takes seconds. */
const connectionsEach = 96;

/** Sends requests at a steady rate whatever becomes of them (open loop), over kept-alive connections. */
export function startLoad({ host = '127.0.0.1', port, rates, onAnswer }: LoadOptions): Load {
  const agents = Array.from({ length: agentCount }, () => new Agent({ keepAlive: true, maxSockets: connectionsEach }));
  const startedAtMs = performance.now();
  const sent: Record<ShopFeature, number> = { catalog: 0, checkout: 0, recommendations: 0 };
  let turn = 0;
  const pending = new Set<Promise<void>>();
  const timer = setInterval(() => {
    for (const feature of FEATURES) {
      const due = Math.floor(((performance.now() - startedAtMs) * rates[feature]) / 1000);
      for (; sent[feature] < due; sent[feature]++) {
        const agent = agents[turn++ % agents.length] as Agent;
        const answered = send(feature, sent[feature], { host, port, agent }).then(onAnswer);
        pending.add(answered);
        void answered.finally(() => pending.delete(answered));
      }
    }
  }, tickMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(pending);
      for (const agent of agents) agent.destroy();
    },
  };
}

/** Sends the n-th request of a feature; the answer is never an exception. */
function send(feature: ShopFeature, n: number, to: RequestOptions): Promise<Answer> {
  const sentAtMs = performance.now();
  const { body, ...options } = requestOf(feature, n);
  return new Promise((resolve) => {
    const settle = (status: number | null, marker: string): void => {
      const { rung, reason } = parseMarker(marker);
      resolve({ feature, sentAtMs, latencyMs: performance.now() - sentAtMs, status, rung, reason });
    };
    const outgoing = request({ ...to, timeout: patienceMs, ...options }, (response) => {
      response.resume();
      response.once('end', () => settle(response.statusCode ?? null, String(response.headers['rekindle'] ?? '')));
      response.once('error', () => settle(null, ''));
    });
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('error', () => settle(null, ''));
    outgoing.end(body);
  });
}

function requestOf(feature: ShopFeature, n: number): RequestOptions & { body?: string } {
  const host = { host: 'shop.example' };
  switch (feature) {
    case 'catalog':
      return { method: 'GET', path: `/catalog/items/${(n % 20) + 1}`, headers: host };
    case 'checkout':
      return n % 3 === 0
        ? { method: 'GET', path: '/checkout', headers: host }
        : { method: 'POST', path: '/checkout', headers: { ...host, 'content-type': 'application/json' }, body: '{"basket":[1,2]}' };
    default:
      return { method: 'GET', path: '/recommendations', headers: host };
  }
}

/** Reads `degraded; feature="checkout"; reason=open; rung=stale`. */
export function parseMarker(header: string): { readonly rung: string | null; readonly reason: string | null } {
  const parameter = (name: string): string | null => new RegExp(`;\\s*${name}="?([a-z-]+)"?`).exec(header)?.[1] ?? null;
  return { rung: parameter('rung'), reason: parameter('reason') };
}

/** Whether a client got neither the upstream's answer nor one of a rung. */
export function isUnanswered({ status, rung }: Answer): boolean {
  return rung === null && (status === null || status >= 500);
}
