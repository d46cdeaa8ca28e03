import createError, { type FastifyError } from '@fastify/error';
import type { FastifyReply, FastifyRequest } from 'fastify';

const titles = new Map<string, string>();

/** One kind of problem: a stable code, what it is called, and the sentence that says what happened and what to do. */
function kind(code: string, status: number, title: string, detail: string) {
  titles.set(code, title);
  return createError(code, detail, status);
}

export const RequestInvalid = kind('REKINDLE_REQUEST_INVALID', 400, 'The request is not valid', 'the request has %s; see errors');
export const BodyMalformed = kind(
  'REKINDLE_BODY_MALFORMED',
  400,
  'The body cannot be read',
  'the body is not what its content-type says: %s',
);
export const DocumentInvalid = kind('REKINDLE_DOCUMENT_INVALID', 422, 'The document is not valid', 'the document has %s; see errors');
export const RouteUnknown = kind('REKINDLE_ROUTE_UNKNOWN', 404, 'No such resource', 'there is no %s %s; see /openapi.json');
export const ServiceUnknown = kind('REKINDLE_SERVICE_UNKNOWN', 404, 'No such service', 'there is no policy for the service %s');
export const FeatureUnknown = kind('REKINDLE_FEATURE_UNKNOWN', 404, 'No such feature', 'the policy of %s has no feature %s');
export const OverrideUnknown = kind('REKINDLE_OVERRIDE_UNKNOWN', 404, 'No such override', 'nobody overrides %s/%s');
export const RecoveryUnknown = kind(
  'REKINDLE_RECOVERY_UNKNOWN',
  404,
  'No such recovery',
  'the service %s has no recovery %s, or it was removed since',
);
export const PreconditionFailed = kind(
  'REKINDLE_PRECONDITION_FAILED',
  412,
  'It has changed meanwhile',
  'the policy of %s is not the one that %s names; read it again, then write with its ETag in If-Match',
);
export const BodyTooLarge = kind('REKINDLE_BODY_TOO_LARGE', 413, 'The body is too large', 'this resource takes at most %s bytes');
export const MediaTypeUnsupported = kind(
  'REKINDLE_MEDIA_TYPE_UNSUPPORTED',
  415,
  'The media type is not supported',
  'send application/json, or application/yaml where the resource is a policy; got %s',
);
export const PreconditionRequired = kind(
  'REKINDLE_PRECONDITION_REQUIRED',
  428,
  'The request must be conditional',
  'the policy of %s exists; send its ETag in If-Match',
);
export const Refused = kind('REKINDLE_REFUSED', 409, 'Not possible in the present state', '%s');
export const TooManyProxies = kind(
  'REKINDLE_TOO_MANY_PROXIES',
  429,
  'Too many proxies',
  'the service %s has as many proxies as are kept track of',
);
export const Internal = kind('REKINDLE_INTERNAL', 500, 'An error of the control plane', 'the request failed; the log has the cause');
export const StoreFailed = kind(
  'REKINDLE_STORE_FAILED',
  503,
  'The store does not answer',
  'nothing was changed as far as is known; try again',
);
export const TooManyWatchers = kind(
  'REKINDLE_TOO_MANY_WATCHERS',
  503,
  'Too many watchers',
  'as many requests wait as this process may hold (%s)',
);
export const Stopping = kind('REKINDLE_STOPPING', 503, 'The control plane is stopping', 'connect again');

/** One thing that is wrong, and where. */
interface Problem {
  readonly path: string;
  readonly reason: string;
}

interface Extras {
  readonly errors?: readonly Problem[];
  readonly retryAfterSeconds?: number;
  /** Stable code of the refusal, one level below `code`. */
  readonly because?: string;
}

/** Adds to an error what its problem document shall say besides. */
export function saying<E extends FastifyError>(error: E, extras: Extras): E & Extras {
  return Object.assign(error, extras);
}

/** An error of the catalogue that lists what is wrong, each with its place. */
export function listing(Kind: typeof RequestInvalid | typeof DocumentInvalid, problems: readonly Problem[]): Error {
  return saying(new Kind(problems.length === 1 ? '1 problem' : `${problems.length} problems`), { errors: problems });
}

/** Whatever was thrown, as an error of the catalogue; null: a bug or a failure that only the log may tell about. */
function known(error: FastifyError & Extras, request: FastifyRequest): (FastifyError & Extras) | null {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new BodyTooLarge(String(request.routeOptions.bodyLimit ?? ''));
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new MediaTypeUnsupported(String(request.headers['content-type'] ?? 'none').slice(0, 100));
    default:
      if (titles.has(error.code)) return error;
      return error.statusCode !== undefined && error.statusCode < 500 ? new BodyMalformed(error.message) : null;
  }
}

/** The one error handler: every error leaves as a problem document of RFC 9457. */
export function sendProblem(error: FastifyError & Extras, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = known(error, request) ?? new Internal();
  if (problem.code === 'REKINDLE_INTERNAL') request.log.error({ err: error, method: request.method, url: request.url }, 'request failed');
  const { retryAfterSeconds, errors, because } = problem as Extras;
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  return reply
    .code(problem.statusCode ?? 500)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:rekindle:problem:${problem.code.replace('REKINDLE_', '').toLowerCase().replaceAll('_', '-')}`,
        title: titles.get(problem.code),
        status: problem.statusCode,
        detail: problem.message,
        instance: request.url.split('?')[0],
        code: problem.code,
        ...(because === undefined ? {} : { because }),
        ...(errors === undefined ? {} : { errors: errors.map(({ path, reason }) => ({ path, reason })) }),
      }),
    );
}
