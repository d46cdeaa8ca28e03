import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Problem } from '../../contract/rest/problem.ts';
import type { Connection } from '../connection.ts';
import { EXIT, Failure } from '../failure.ts';
import { Refusal } from './refusal.ts';
import { isSurelyUnsent, unreachable } from './unreachable.ts';

const ATTEMPTS = 4;
const FIRST_DELAY_MS = 200;
/** A control plane that asks for more patience than this is told about instead. */
const LONGEST_DELAY_MS = 5000;
const PAGE = 200;

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Change {
  readonly body?: unknown;
  readonly query?: Query;
  /** ETag of what is replaced or acted on. null: there must be none yet. */
  readonly etag?: string | null;
  /** The answer shows what is shown once, so that a request that may have arrived is not sent again. */
  readonly isOnce?: boolean;
}

export interface Answer<T> {
  readonly status: number;
  readonly etag: string | null;
  readonly body: T;
}

/** The REST API of one control plane: paths are relative to it, what it refuses is thrown. */
export class ApiClient {
  private readonly connection: Connection;
  private readonly interrupted: AbortSignal;
  private readonly agent: string;

  constructor(connection: Connection, interrupted: AbortSignal, version: string) {
    this.connection = connection;
    this.interrupted = interrupted;
    this.agent = `rekindle/${version}`;
  }

  get url(): string {
    return this.connection.base.href;
  }

  get<T>(path: string, query: Query = {}): Promise<Answer<T>> {
    return this.retried(() => this.once<T>('GET', path, query, {}), true);
  }

  /** What a part of the control plane says of itself, also where it is not well (503). */
  async report<T>(path: string): Promise<Answer<T>> {
    return this.retried(() => this.once<T>('GET', path, {}, { isReport: true }), true);
  }

  /** What is there, or null where the control plane knows of nothing (404). */
  async find<T>(path: string): Promise<Answer<T> | null> {
    try {
      return await this.get<T>(path);
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return null;
      throw error;
    }
  }

  /** The items of all pages. */
  async all<T>(path: string, query: Query = {}, most = Number.POSITIVE_INFINITY): Promise<T[]> {
    const items: T[] = [];
    for (let cursor: string | number | undefined; ; ) {
      const limit = Math.min(PAGE, most - items.length);
      const { body } = await this.get<{ items: T[]; next: string | number | null }>(path, { ...query, limit, cursor });
      if (!Array.isArray(body.items) || (cursor !== undefined && body.next === cursor)) throw new Stranger(200, new URL(this.url));
      items.push(...body.items);
      if (body.next === null || items.length >= most) return items;
      cursor = body.next;
    }
  }

  /** Makes a change, once, however often it must be sent. */
  change<T>(method: 'PUT' | 'POST' | 'DELETE', path: string, { body, query = {}, etag, isOnce = false }: Change = {}): Promise<Answer<T>> {
    const headers: Record<string, string> = { 'idempotency-key': randomUUID() };
    if (etag === null) headers['if-none-match'] = '*';
    else if (etag !== undefined) headers['if-match'] = etag;
    if (body !== undefined) headers['content-type'] = 'application/json';
    return this.retried(() => this.once<T>(method, path, query, { headers, body: JSON.stringify(body) }), !isOnce);
  }

  private async retried<T>(send: () => Promise<Answer<T>>, mayRepeat: boolean): Promise<Answer<T>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send();
      } catch (error) {
        this.interrupted.throwIfAborted();
        const delayMs = attempt < ATTEMPTS ? delayBefore(error, attempt, mayRepeat) : null;
        if (delayMs === null) throw error instanceof Failure ? error : unreachable(error, this.connection);
        await sleep(delayMs, undefined, { signal: this.interrupted });
      }
    }
  }

  private async once<T>(method: string, path: string, query: Query, init: Sent) {
    const { base, token, timeoutMs } = this.connection;
    const url = new URL(path, base);
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': this.agent,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...init.headers,
      },
      ...(init.body === undefined ? {} : { body: init.body }),
      // A redirect leads to a login page, or from http to https: the token does not follow.
      redirect: 'manual',
      signal: AbortSignal.any([this.interrupted, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await response.text();
    const body = parsed(text);
    if (isProblem(body) && response.status >= 400) throw new Told(body, response.headers.get('retry-after'));
    const isWelcome = response.status < 300 || (init.isReport === true && response.status === 503);
    if (!isWelcome || (!isObject(body) && response.status !== 204)) throw new Stranger(response.status, url);
    return { status: response.status, etag: response.headers.get('etag'), body: body as T };
  }
}

interface Sent {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** A 503 is an answer, too. */
  readonly isReport?: true;
}

/** A refusal, and when to come back. */
class Told extends Refusal {
  readonly retryAfterMs: number | null;

  constructor(problem: Problem, retryAfter: string | null) {
    super(problem);
    this.retryAfterMs = retryAfter !== null && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) * 1000 : null;
  }
}

/** An answer that no control plane gave. */
class Stranger extends Failure {
  readonly status: number;

  constructor(status: number, { origin }: URL) {
    super(EXIT.unreachable, `${origin} answered ${status}, but not as a control plane of Rekindle does`, {
      hint: status >= 502 && status <= 504 ? 'what stands in front of it does not reach it' : 'is the URL right? (--url or REKINDLE_URL)',
    });
    this.status = status;
  }
}

/** How long to wait before the request is sent again; null: it is not. */
function delayBefore(error: unknown, attempt: number, mayRepeat: boolean): number | null {
  const backoffMs = FIRST_DELAY_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
  if (error instanceof Told) {
    const isPassing = error.status === 429 || error.status === 503 || error.problem.code === 'REKINDLE_IDEMPOTENCY_KEY_IN_USE';
    const delayMs = error.retryAfterMs ?? backoffMs;
    return isPassing && delayMs <= LONGEST_DELAY_MS ? delayMs : null;
  }
  if (error instanceof Stranger) return mayRepeat && error.status >= 502 && error.status <= 504 ? backoffMs : null;
  if (error instanceof Failure || (error as Error).name === 'TimeoutError') return null;
  return mayRepeat || isSurelyUnsent(error) ? backoffMs : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(body: unknown): body is Problem {
  if (!isObject(body)) return false;
  const { code, detail, errors = [] } = body as Partial<Problem>;
  return typeof code === 'string' && typeof detail === 'string' && Array.isArray(errors);
}

/** Every answer of a control plane is one. */
function isObject(body: unknown): body is object {
  return typeof body === 'object' && body !== null && !Array.isArray(body);
}
