import type { ClientView } from './client.ts';
import { HeaderMapType } from './enums.ts';
import type { HeaderMap } from './header-map.ts';
import type { FilterPath } from './path.ts';

/** Header maps that a stream shows while it passes: each only in its own callbacks, and while it is held. */
export function passingMap(type: number, toUpstream: FilterPath, toClient: FilterPath): HeaderMap | null {
  switch (type) {
    case HeaderMapType.RequestHeaders:
      return toUpstream.map;
    case HeaderMapType.RequestTrailers:
      return toUpstream.trailerMap;
    case HeaderMapType.ResponseHeaders:
      return toClient.map;
    case HeaderMapType.ResponseTrailers:
      return toClient.trailerMap;
    default:
      return null;
  }
}

/** What the log phase shows: the request's headers are back, and the answer is the one that was served. */
export function loggedMap(type: number, request: HeaderMap, client: ClientView): HeaderMap | null {
  switch (type) {
    case HeaderMapType.RequestHeaders:
      return request;
    case HeaderMapType.ResponseHeaders:
      return client.headers;
    case HeaderMapType.ResponseTrailers:
      return client.trailers;
    default:
      return null;
  }
}
