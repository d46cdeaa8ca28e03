import { type FaultKind, StoreFault } from '../store.ts';

interface Row {
  readonly kind: FaultKind;
  /** Found in the message, or the code, of what was thrown. */
  readonly sign: RegExp;
  readonly says: string;
}

/** Signs of errors in order of precedence: the first that is found counts. */
const ROWS: readonly Row[] = [
  {
    kind: 'unreachable',
    sign: /certificate|ERR_TLS|ERR_SSL/i,
    says: "Redis's TLS is not accepted; NODE_EXTRA_CA_CERTS names further authorities",
  },
  { kind: 'timeout', sign: /timed out|Socket timeout|ETIMEDOUT|connect timeout/, says: 'Redis does not answer in time' },
  { kind: 'access', sign: /WRONGPASS|NOAUTH|invalid username-password|invalid password/, says: 'Redis refuses the password of REDIS_URL' },
  { kind: 'access', sign: /NOPERM/, says: 'the user of REDIS_URL lacks rights in Redis' },
  { kind: 'loading', sign: /LOADING|MASTERDOWN/, says: 'Redis is loading its data' },
  { kind: 'read-only', sign: /READONLY/, says: 'REDIS_URL leads to a read-only replica; writes need the primary' },
  { kind: 'full', sign: /OOM/, says: 'Redis has used up its maxmemory' },
  { kind: 'unwritable', sign: /MISCONF/, says: 'Redis cannot write to its disk' },
  { kind: 'unwritable', sign: /NOREPLICAS/, says: 'Redis has fewer replicas than its min-replicas-to-write' },
  { kind: 'timeout', sign: /\bBUSY\b/, says: 'Redis is busy with a script' },
  {
    kind: 'unreachable',
    sign: /ECONNREFUSED|ECONNRESET|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|Connection is closed|max retries|connection close/i,
    says: 'Redis cannot be reached',
  },
];

/** Said of a connection that is not there yet, in the words that the client has for it. */
export const NOT_READY = "Stream isn't writeable";
/** Errors of commands that were not sent at all. */
const NOT_SENT = new RegExp(NOT_READY);
/** Errors after which the answer is lost, but not the command. */
const ANSWER_LOST = /timed out|Socket timeout|max retries|Connection is closed|connection close|ECONNRESET|EPIPE/i;

/**
 * What an error of the client means. `lastError` is the connection's own, since a command that finds no connection does not know why.
 * Messages hold neither address nor password.
 */
export function faultOf(error: unknown, lastError: Error | null): StoreFault {
  if (error instanceof StoreFault) return error;
  const message = textOf(error);
  const wasNotSent = NOT_SENT.test(message);
  const cause = (wasNotSent || /max retries|Connection is closed/.test(message)) && lastError ? textOf(lastError) : message;
  const row = ROWS.find(({ sign }) => sign.test(cause));
  const detail = cause.split('\n')[0]!;
  if (row) return new StoreFault(row.kind, `${row.says} (${detail})`, !wasNotSent && ANSWER_LOST.test(message), error);
  if (wasNotSent) return new StoreFault('unreachable', 'Redis cannot be reached (no connection)', false, error);
  return new StoreFault('broken', `Redis answers with an error (${detail})`, true, error);
}

function textOf(error: unknown): string {
  const { message = String(error), code } = error as { message?: string; code?: string };
  return code !== undefined && !message.includes(code) ? `${code} ${message}` : message;
}
