import type { LocalReply } from './context.ts';
import { HeaderMap } from './header-map.ts';
import { bodyText } from './text.ts';

/** A local reply as it goes to the encoder filters, or straight to the client. */
export interface PreparedReply {
  readonly headers: HeaderMap;
  /** Empty: the headers end the stream. */
  readonly body: Uint8Array;
}

const GRPC_STATUS_OF_HTTP: Readonly<Record<number, number>> = { 400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14 };
const UNKNOWN = 2;

/**
 * Headers and body of a local reply. The module's headers are added first; a body brings content-length and, unless given,
 * content-type; without a body both go; a gRPC request gets trailers only; HEAD keeps content-length and loses the body.
 */
export function prepareReply(reply: LocalReply, request: HeaderMap): PreparedReply {
  const headers = new HeaderMap();
  headers.add(':status', String(reply.status));
  for (const [name, value] of reply.headers) headers.add(name, value);
  if (isGrpc(request)) return { headers: grpcHeaders(headers, reply), body: new Uint8Array() };
  if (reply.body.length === 0) {
    headers.remove('content-length');
    headers.remove('content-type');
    return { headers, body: reply.body };
  }
  headers.set('content-length', String(reply.body.length));
  if (headers.get('content-type') === undefined) headers.set('content-type', 'text/plain');
  return { headers, body: request.get(':method') === 'HEAD' ? new Uint8Array() : reply.body };
}

/** `application/grpc` and its suffixes; gRPC-web is not recognised. */
function isGrpc(request: HeaderMap): boolean {
  return /^application\/grpc(\+.*)?$/.test(request.get('content-type') ?? '');
}

function grpcHeaders(headers: HeaderMap, reply: LocalReply): HeaderMap {
  headers.set(':status', '200');
  headers.set('content-type', 'application/grpc');
  const given = reply.grpcStatus >= 0 && reply.grpcStatus <= 16;
  // Like Envoy: from the code, where 200 gives UNKNOWN.
  const status = given ? reply.grpcStatus : (GRPC_STATUS_OF_HTTP[reply.status] ?? UNKNOWN);
  if (headers.get('grpc-status') === undefined) headers.set('grpc-status', String(status));
  if (reply.body.length > 0) headers.set('grpc-message', encodeURI(bodyText(reply.body)));
  headers.remove('content-length');
  return headers;
}
