import type { Problem } from '../../contract/rest/problem.ts';
import { EXIT, Failure } from '../failure.ts';

/** What helps, by the code of the problem, or by `because` where it says more. */
const HINTS: Readonly<Record<string, string>> = {
  REKINDLE_TOKEN_REQUIRED: 'set REKINDLE_TOKEN, or name a file that holds the token with --token-file',
  REKINDLE_TOKEN_INVALID: 'check REKINDLE_TOKEN or --token-file; `rekindle token list` of an admin shows which tokens there are',
  REKINDLE_SCOPE_MISSING: 'somebody with an admin token can give you one: rekindle token create NAME --scope operate',
  REKINDLE_SERVICE_UNKNOWN: '`rekindle get services` lists them; `rekindle apply FILE` creates one',
  REKINDLE_FEATURE_UNKNOWN: '`rekindle features SERVICE` lists them',
  REKINDLE_RECOVERY_UNKNOWN: '`rekindle get recoveries SERVICE` lists them',
  REKINDLE_REVISION_UNKNOWN: '`rekindle history SERVICE` lists them',
  REKINDLE_TOKEN_UNKNOWN: '`rekindle token list` lists them',
  REKINDLE_PROXY_UNKNOWN: '`rekindle get proxies SERVICE` lists them',
  REKINDLE_ORIGIN_REFUSED: 'without access tokens the control plane is to be addressed by IP address or localhost',
  REKINDLE_STORE_FAILED: '`rekindle status` shows which part fails',
  'already-running': '`rekindle recover watch SERVICE` follows it, `rekindle recover promote SERVICE` skips its wait',
  paused: '`rekindle recover resume SERVICE` ends the pause',
  'feature-recovers': 'end that first, or say --force',
};

/** The control plane's own no. */
export class Refusal extends Failure {
  readonly problem: Problem;

  constructor(problem: Problem) {
    const { code, detail, because, errors = [] } = problem;
    super(EXIT.refused, `${detail}${because === undefined ? '' : ` (${because})`} [${code}]`, {
      details: errors.map(({ path, reason }) => `${path || '(the document)'}: ${reason}`),
      hint: HINTS[because ?? ''] ?? HINTS[code] ?? null,
    });
    this.problem = problem;
  }

  get status(): number {
    return this.problem.status;
  }
}

export function isRefusal(error: unknown, status: number): error is Refusal {
  return error instanceof Refusal && error.status === status;
}
