import type { FastifyError } from '@fastify/error';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BodyMalformed,
  BodyTooLarge,
  type Extras,
  Internal,
  listing,
  MediaTypeUnsupported,
  MethodNotAllowed,
  PathMalformed,
  PROBLEM_KINDS,
  RequestInvalid,
  RouteUnknown,
  saying,
} from '../errors.ts';
import { storeProblem } from '../fleet/store-problem.ts';
import { StoreFault } from '../store/store.ts';
import { type KnownRoute, methodsOf } from './known-routes.ts';

/** Whatever was thrown, as an error of the catalogue; null: a bug or a failure that only the log may tell about. */
function known(error: FastifyError & Extras, request: FastifyRequest): (FastifyError & Extras) | null {
  if (error instanceof StoreFault) return storeProblem(error);
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new BodyTooLarge(String(request.routeOptions.bodyLimit ?? ''));
    case 'FST_ERR_BAD_URL':
      return new PathMalformed();
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return listing(RequestInvalid, [{ path: 'params', reason: 'has a part that is longer than any name' }]);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new MediaTypeUnsupported(String(request.headers['content-type'] ?? 'none').slice(0, 100));
    default:
      if (PROBLEM_KINDS.has(error.code)) return error;
      return error.statusCode !== undefined && error.statusCode < 500 ? new BodyMalformed(error.message) : null;
  }
}

/** The one error handler: every error leaves as a problem document of RFC 9457. */
export function sendProblem(error: FastifyError & Extras, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = known(error, request) ?? new Internal();
  if (problem.code === 'REKINDLE_INTERNAL')
    request.log.error({ err: error, reqId: request.id, method: request.method, url: pathOf(request) }, 'request failed');
  const { retryAfterSeconds, errors, because, headers = {} } = problem as Extras;
  reply.headers(headers);
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  return reply
    .code(problem.statusCode ?? 500)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:rekindle:problem:${problem.code.replace('REKINDLE_', '').toLowerCase().replaceAll('_', '-')}`,
        title: PROBLEM_KINDS.get(problem.code)?.title,
        status: problem.statusCode,
        detail: problem.message,
        instance: pathOf(request),
        code: problem.code,
        ...(because === undefined ? {} : { because }),
        ...(errors === undefined ? {} : { errors: errors.map(({ path, reason }) => ({ path, reason })) }),
      }),
    );
}

/** Nothing is there, or only for other methods. */
export function notFound(request: FastifyRequest, routes: readonly KnownRoute[]): FastifyError {
  const path = pathOf(request);
  const methods = methodsOf(path, routes);
  if (methods.length === 0) return new RouteUnknown(request.method, path);
  const allow = methods.join(', ');
  return saying(new MethodNotAllowed(request.method, allow), { headers: { allow } });
}

/** The query may hold what no log should. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '';
}
