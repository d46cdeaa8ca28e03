import fc from 'fast-check';
import CachePolicy from 'http-cache-semantics';
import { beforeAll, expect, test } from 'vitest';
import { type Exchange, exchange } from './differential-case.ts';
import { type Headers, judge, loadStorability, NOON, type StorabilityModule, type Verdict } from './storability-module.ts';

/**
 * Storability and freshness against http-cache-semantics 4 as a shared cache. Where the two mean to differ, a row says so and why; apart
 * from the rows both must say the same, and each row must be met. docs/stale-cache.md holds the same list for readers.
 */

const KEYED = ['accept-language'];
const KEPT = [200, 203, 204, 301, 308];

/** What both sides are asked. */
interface Answer {
  storable: boolean;
  /** Seconds; undefined when it is not storable. */
  freshFor?: number;
  age?: number;
  /** Whether it stands in for a failure after these many seconds, on the word of the response alone. */
  standsIn?: boolean;
}

/** We refuse to keep what the library keeps. `read`: the exchange as RFC 9111 reads it, see READ. */
const REFUSED: { name: string; because: Verdict['because']; why: string; applies: (it: Exchange, read: Exchange) => boolean }[] = [
  { name: 'HEAD and POST', because: 'method', why: 'no body to serve to a GET', applies: ({ method }) => method !== 'GET' },
  {
    name: 'redirects by convention, 404, 410 and other errors',
    because: 'status',
    why: 'a half broken upstream gives them too, and one would take the place of the good copy',
    applies: ({ status }) => !KEPT.includes(status),
  },
  {
    name: 'answers to range requests, and parts',
    because: 'range',
    why: 'this cache does not know parts',
    applies: ({ request, response }) => 'range' in request || 'content-range' in response,
  },
  {
    name: 'vary: *',
    because: 'vary-all',
    why: 'the library keeps it and never matches',
    applies: ({ response }) => response['vary'] === '*',
  },
  {
    name: 'vary on headers outside of the key',
    because: 'vary-header',
    why: 'keys are made before the answer is known',
    applies: ({ response }) => /cookie|origin/i.test(response['vary'] ?? ''),
  },
  {
    name: 'set-cookie',
    because: 'set-cookie',
    why: "one client's cookie would go to all (RFC 9111 section 7.3); the library keeps it without freshness",
    applies: ({ response }) => 'set-cookie' in response,
  },
  {
    name: 'degraded answers of another Rekindle',
    because: 'degraded-upstream',
    why: 'a degraded answer must not outlive its outage',
    applies: ({ response }) => 'rekindle' in response,
  },
  {
    name: 'a quoted string that does not end',
    because: 'no-store',
    why: 'what it hides may be a prohibition',
    applies: ({ response }) => (response['cache-control'] ?? '').split('"').length % 2 === 0,
  },
  {
    name: 'no-cache, also as pragma',
    because: 'no-cache',
    why: 'nothing here revalidates; the library keeps it without freshness',
    applies: ({ response }) => 'no-cache' in directives(response) || (response['pragma'] !== undefined && !('cache-control' in response)),
  },
  {
    name: 'private in capitals',
    because: 'private',
    why: 'names of directives have no case (RFC 9111 section 5.2); the library compares letters',
    applies: ({ response }) => 'private' in directives(response),
  },
  {
    name: 'no-store in capitals',
    because: 'no-store',
    why: 'the same',
    applies: ({ response }) => 'no-store' in directives(response),
  },
  {
    name: 'no-store of the request in capitals',
    because: 'request-no-store',
    why: 'the same',
    applies: ({ request }) => 'no-store' in directives(request),
  },
  {
    name: 'authorization, when public stands in a quoted string only',
    because: 'authorization',
    why: 'the library splits quoted strings at commas',
    applies: ({ request, response }) => 'authorization' in request && !opens(directives(response)),
  },
  {
    name: 'a request with cookies whose answer says nothing about caching',
    because: 'cookie',
    why: "likely somebody's own page that its author forgot to mark (cache deception)",
    applies: ({ request, response }) => {
      const said = directives(response);
      return 'cookie' in request && !opens(said) && !('max-age' in said) && !('expires' in response);
    },
  },
  {
    name: 'what is stale on arrival and must not be served stale',
    because: 'never-servable',
    why: 'it would hold a slot for nothing',
    applies: (it, read) => forbidsStale(directives(it.response)) && library(read).isStale,
  },
];

/** The library as it would be if it read this header as RFC 9111 does. */
const READ: { name: string; why: string; rewrite: (it: Exchange) => Record<string, string | undefined> }[] = [
  {
    name: 'syntax of cache-control',
    why: 'no case in names, quoted strings in one piece, of two durations the shorter, none that is no number, 2^31 at most',
    rewrite: ({ response }) => (response['cache-control'] === undefined ? {} : { 'cache-control': write(directives(response)) }),
  },
  {
    name: 'immutable',
    why: 'it speaks of revalidation by browsers (RFC 8246), not of freshness; the library takes it for a day',
    rewrite: ({ response }) => without(response, 'immutable'),
  },
  {
    name: 'heuristic freshness',
    why: 'RFC 9111 section 4.2.2 allows it and does not ask for it; here such a copy is stale from the start and serves as the policy says',
    rewrite: () => ({ 'last-modified': undefined }),
  },
  {
    name: 'dates in forms of their own',
    why: 'RFC 9110 section 5.6.7 has three forms; another one counts as expired, or as none',
    rewrite: ({ response }) => ({
      ...(isForeign(response['expires']) ? { expires: '0' } : {}),
      ...(isForeign(response['date']) ? { date: undefined } : {}),
    }),
  },
  {
    name: 'age',
    why: 'RFC 9111 sections 4.2.3 and 5.1: a date in the past makes it older, the first of a list counts, one that is no number does not',
    rewrite: ({ response }) => {
      const told = /^\s*(\d+)\s*(,|$)/.exec(response['age'] ?? '')?.[1] ?? '0';
      const date = isForeign(response['date']) ? Number.NaN : Date.parse(response['date'] ?? '');
      return { age: String(Math.max(Number(told), Number.isNaN(date) ? 0 : (NOON - date) / 1000)) };
    },
  },
  {
    name: 'stale-if-error against a prohibition',
    why: 'must-revalidate, proxy-revalidate and s-maxage forbid stale answers (RFC 9111 section 4.2.4) whatever RFC 5861 allows',
    rewrite: ({ response }) => (forbidsStale(directives(response)) ? without(response, 'stale-if-error') : {}),
  },
  {
    name: 'proxy-revalidate while fresh',
    why: 'it forbids stale answers, not fresh ones (RFC 9111 section 5.2.2.8); the library takes away all freshness. Here we serve more',
    rewrite: ({ response }) => without(response, 'proxy-revalidate'),
  },
];

let filter: StorabilityModule;
beforeAll(async () => {
  filter = await loadStorability();
});

test('says what http-cache-semantics says, but for the rows', { timeout: 60_000 }, () => {
  const met = new Map<string, number>([...REFUSED, ...READ].map(({ name }) => [name, 0]));
  const meet = (name: string) => met.set(name, met.get(name)! + 1);
  fc.assert(
    fc.property(exchange, fc.integer({ min: 0, max: 200 }), (it, laterS) => {
      const ours = answerOf(it, laterS);
      const rowsRefused = REFUSED.filter(({ applies }) => applies(it, rewritten(it)));
      if (rowsRefused.length > 0) {
        expect(ours.answer.storable).toBe(false);
        expect(rowsRefused.map(({ because }) => because)).toContain(ours.because);
        if (library(it).ask(0).storable) for (const { name } of rowsRefused) meet(name);
        return;
      }
      expect(ours.answer).toEqual(library(rewritten(it)).ask(laterS));
      for (const row of READ) {
        // A row counts where it alone makes the difference.
        const others = READ.filter((other) => other !== row);
        if (JSON.stringify(library(rewritten(it, others)).ask(laterS)) !== JSON.stringify(ours.answer)) meet(row.name);
      }
    }),
    { numRuns: 6000 },
  );
  expect([...met].filter(([, count]) => count === 0)).toEqual([]);
});

/** What the filter says, on the word of the response alone: the policy allows no stale time of its own. */
function answerOf({ method, status, request, response }: Exchange, laterS: number): { answer: Answer; because: string } {
  const verdict = judge(filter, {
    method,
    status,
    authorized: 'authorization' in request,
    cookied: 'cookie' in request,
    ranged: 'range' in request,
    requestCacheControl: request['cache-control'] ?? '',
    varyHeaders: KEYED,
    headers: Object.entries(response) as Headers,
  });
  if (!verdict.storable) return { answer: { storable: false }, because: verdict.because };
  const { age, fresh, staleIfError, stale } = verdict;
  const ms = (seconds: number) => BigInt(Math.round(seconds * 1000));
  const standsIn = filter.servable(ms(age + laterS), ms(fresh), staleIfError < 0 ? -1n : ms(staleIfError), stale, 0n) !== 0;
  return { answer: { storable: true, freshFor: fresh, age, standsIn }, because: verdict.because };
}

/** What the library says of an exchange that ended at noon. */
function library({ method, status, request, response }: Exchange) {
  let nowMs = NOON;
  class Policy extends CachePolicy {
    protected override now(): number {
      return nowMs;
    }
  }
  const policy = new Policy({ method, headers: request }, { status, headers: response });
  return {
    isStale: policy.stale(),
    ask: (laterS: number): Answer => {
      if (!policy.storable()) return { storable: false };
      const age = policy.age();
      nowMs = NOON + laterS * 1000;
      const standsIn = !policy.revalidatedPolicy({ headers: {} }, { status: 503, headers: {} }).modified;
      nowMs = NOON;
      return { storable: true, freshFor: policy.maxAge(), age, standsIn };
    },
  };
}

function rewritten(it: Exchange, rows = READ): Exchange {
  let response = it.response;
  for (const { rewrite } of rows) {
    const members = Object.entries({ ...response, ...rewrite({ ...it, response }) });
    response = Object.fromEntries(members.filter((member): member is [string, string] => member[1] !== undefined));
  }
  return { ...it, response };
}

type Directives = Record<string, number | true>;
const DURATIONS = ['max-age', 's-maxage', 'stale-if-error'];

/** Directives as RFC 9110 section 5.6 has lists and quoted strings. */
function directives(headers: Readonly<Record<string, string>>): Directives {
  const found: Directives = {};
  for (const [member] of (headers['cache-control'] ?? '').matchAll(/(?:[^",]|"(?:\\.|[^"\\])*("|$))+/g)) {
    const [name = '', value] = member.trim().split(/=(.*)/s);
    const key = name.trim().toLowerCase();
    if (!DURATIONS.includes(key)) {
      if (key !== '') found[key] = true;
      continue;
    }
    const digits = /^"?(\d+)"?$/.exec(value?.trim() ?? '')?.[1];
    const seconds = Math.min(Number(digits ?? 0), 2 ** 31);
    const before = found[key];
    found[key] = typeof before === 'number' ? Math.min(before, seconds) : seconds;
  }
  return found;
}

function write(said: Directives): string {
  return Object.entries(said)
    .map(([name, value]) => (value === true ? name : `${name}=${value}`))
    .join(', ');
}

function without(response: Readonly<Record<string, string>>, name: string): Record<string, string> {
  const { [name]: dropped, ...rest } = directives(response);
  return dropped === undefined ? {} : { 'cache-control': write(rest) };
}

function opens(said: Directives): boolean {
  return 'public' in said || 'must-revalidate' in said || 's-maxage' in said;
}

function forbidsStale(said: Directives): boolean {
  return 'must-revalidate' in said || 'proxy-revalidate' in said || 's-maxage' in said;
}

function isForeign(date: string | undefined): boolean {
  return date !== undefined && !/GMT$|^\w{3} \w{3} [\d ]\d [\d:]{8} \d{4}$/.test(date);
}
