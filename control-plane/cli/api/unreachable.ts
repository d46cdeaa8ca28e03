import type { Connection } from '../connection.ts';
import { EXIT, Failure } from '../failure.ts';

/** Codes of failures before a byte was sent. */
const UNSENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/** Whether the control plane cannot have got the request. */
export function isSurelyUnsent(error: unknown): boolean {
  return UNSENT.includes(codeOf(error));
}

/** A failure to get any answer, in words. */
export function unreachable(error: unknown, { base, timeoutMs }: Connection): Failure {
  const why = (error as Error).name === 'TimeoutError' ? `it did not answer within ${timeoutMs} ms` : reasonOf(error);
  return new Failure(EXIT.unreachable, `the control plane at ${base.origin} cannot be reached: ${why}`, {
    hint: 'is the URL right (--url or REKINDLE_URL), and does it run? Proxies go on by their last directive and recover by themselves',
  });
}

function reasonOf(error: unknown): string {
  switch (codeOf(error)) {
    case 'ECONNREFUSED':
      return 'nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its name is not known';
    case 'ECONNRESET':
    case 'UND_ERR_SOCKET':
      return 'the connection broke; a change may have been made: look before you try again';
    default:
      return ((error as Error).cause as Error | undefined)?.message || (error as Error).message;
  }
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: unknown };
  if (cause !== undefined && cause !== null) return codeOf(cause);
  const [first] = (error as { errors?: unknown[] }).errors ?? [];
  return code ?? (first === undefined ? '' : codeOf(first));
}
