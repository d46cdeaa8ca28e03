import createError, { type FastifyError } from '@fastify/error';

/** What is always the same of one kind of problem. */
export interface ProblemKind {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  /** Sentence with `%s` for what differs. */
  readonly detail: string;
}

const kinds = new Map<string, ProblemKind>();

/** All kinds of problems by their codes. */
export const PROBLEM_KINDS: ReadonlyMap<string, ProblemKind> = kinds;

/** One kind of problem: a stable code, what it is called, and the sentence that says what happened and what to do. */
function kind(code: string, status: number, title: string, detail: string) {
  kinds.set(code, { code, status, title, detail });
  return createError(code, detail, status);
}

export const RequestInvalid = kind('REKINDLE_REQUEST_INVALID', 400, 'The request is not valid', 'the request has %s; see errors');
export const BodyMalformed = kind(
  'REKINDLE_BODY_MALFORMED',
  400,
  'The body cannot be read',
  'the body is not what its content-type says: %s',
);
export const PathMalformed = kind(
  'REKINDLE_PATH_MALFORMED',
  400,
  'The path cannot be read',
  'the path has a percent sign that is not followed by two hexadecimal digits of UTF-8',
);
export const TokenRequired = kind(
  'REKINDLE_TOKEN_REQUIRED',
  401,
  'An access token is needed',
  'send the header Authorization: Bearer <token>',
);
export const TokenInvalid = kind(
  'REKINDLE_TOKEN_INVALID',
  401,
  'The access token is not valid',
  'the control plane knows no such token, or it was revoked',
);
export const ScopeMissing = kind('REKINDLE_SCOPE_MISSING', 403, 'The access token does not allow this', 'this needs %s; the token has %s');
export const OriginRefused = kind(
  'REKINDLE_ORIGIN_REFUSED',
  403,
  'The request comes from another site',
  '%s; a page of another site must not use a control plane that its visitor can reach',
);
export const MethodNotAllowed = kind(
  'REKINDLE_METHOD_NOT_ALLOWED',
  405,
  'The resource does not have this method',
  '%s is not possible here; the resource has %s',
);
export const IdempotencyKeyInUse = kind(
  'REKINDLE_IDEMPOTENCY_KEY_IN_USE',
  409,
  'The first request with this key has not ended',
  'a request with the Idempotency-Key %s is still being carried out; ask again',
);
export const IdempotencyKeyReused = kind(
  'REKINDLE_IDEMPOTENCY_KEY_REUSED',
  422,
  'The idempotency key belongs to another request',
  'the Idempotency-Key %s was sent with another request before; take a new one for each new request',
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
export const ProxyUnknown = kind(
  'REKINDLE_PROXY_UNKNOWN',
  404,
  'No such proxy',
  'of the service %s no proxy %s has told anything in the last hour',
);
export const TokenUnknown = kind('REKINDLE_TOKEN_UNKNOWN', 404, 'No such token', 'there is no token with the id %s');
export const RevisionUnknown = kind(
  'REKINDLE_REVISION_UNKNOWN',
  404,
  'No such revision',
  'the history of %s has no policy of revision %s, or it was removed since',
);
export const CopyUnknown = kind('REKINDLE_COPY_UNKNOWN', 404, 'No such copy', 'the cache of %s has nothing under this key, or no longer');
export const CopyDamaged = kind(
  'REKINDLE_COPY_DAMAGED',
  422,
  'The copy was damaged under way',
  'the body has the CRC-32 %s, the request says %s; send it again',
);
export const PreconditionFailed = kind(
  'REKINDLE_PRECONDITION_FAILED',
  412,
  'It has changed meanwhile',
  '%s is not the one that %s names; read it again, then write with its ETag in If-Match',
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
  '%s exists; send its ETag in If-Match, or `*` to write whatever it is now',
);
export const Refused = kind('REKINDLE_REFUSED', 409, 'Not possible in the present state', '%s');
export const TooManyProxies = kind(
  'REKINDLE_TOO_MANY_PROXIES',
  429,
  'Too many proxies',
  'the service %s has as many proxies as are kept track of',
);
export const TooManyRequests = kind(
  'REKINDLE_TOO_MANY_REQUESTS',
  429,
  'Too many requests',
  '%s may send %s requests a minute; come back later',
);
export const TooManyNodes = kind(
  'REKINDLE_TOO_MANY_NODES',
  429,
  'Too many proxies from one source',
  '%s reports for as many proxies of %s as it may: %s',
);
export const Internal = kind('REKINDLE_INTERNAL', 500, 'An error of the control plane', 'the request failed; the log has the cause');
export const StoreFailed = kind('REKINDLE_STORE_FAILED', 503, 'The store cannot be used', '%s; try again');
export const TooManyWatchers = kind(
  'REKINDLE_TOO_MANY_WATCHERS',
  503,
  'Too many watchers',
  'as many requests wait as this process may hold (%s)',
);
export const TooManyStreams = kind(
  'REKINDLE_TOO_MANY_STREAMS',
  503,
  'Too many streams',
  'as many streams of events are open as this process may hold (%s)',
);
export const Stopping = kind('REKINDLE_STOPPING', 503, 'The control plane is stopping', 'connect again');

/** One thing that is wrong, and where. */
interface Problem {
  readonly path: string;
  readonly reason: string;
}

export interface Extras {
  readonly errors?: readonly Problem[];
  readonly retryAfterSeconds?: number;
  /** Stable code of the refusal, one level below `code`. */
  readonly because?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Adds to an error what its problem document shall say besides. */
export function saying<E extends FastifyError>(error: E, extras: Extras): E & Extras {
  return Object.assign(error, extras);
}

/** An error of the catalogue that lists what is wrong, each with its place. */
export function listing(Kind: typeof RequestInvalid | typeof DocumentInvalid, problems: readonly Problem[]): FastifyError & Extras {
  return saying(new Kind(problems.length === 1 ? '1 problem' : `${problems.length} problems`), { errors: problems });
}
