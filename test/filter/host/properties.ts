import type { RootContext } from './context.ts';
import type { HeaderMap } from './header-map.ts';
import { headerBytes } from './text.ts';

/** Identity of this Envoy, from its bootstrap. */
export interface Node {
  readonly id: string;
  readonly cluster: string;
}

/** What Envoy knows of a request beside its headers. */
export interface StreamInfo {
  /** Bits of `response.flags`. */
  flags: number;
  /** null until something is known of the response. */
  codeDetails: string | null;
  responseCode: number | null;
  /** Cluster and route as last resolved. */
  clusterName: string;
  routeName: string;
  readonly connectionId: number;
}

/** What `stream.ts` shows of a stream to property reads. */
export interface StreamFacts {
  readonly info: StreamInfo;
  readonly requestHeaders: HeaderMap | null;
  readonly responseHeaders: HeaderMap | null;
}

function int64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64LE(BigInt(value));
  return bytes;
}

function text(value: string | null | undefined): Uint8Array | null {
  return value === null || value === undefined ? null : headerBytes(value);
}

/** Properties that need no stream. Null: not found. */
export function rootProperty(root: RootContext, path: readonly string[]): Uint8Array | null {
  switch (path.join('.')) {
    case 'plugin_root_id':
      return text(root.plugin.rootId);
    case 'plugin_name':
      return text(root.plugin.name);
    case 'plugin_vm_id':
      return text(root.vm.vmId);
    case 'xds.node.id':
      return text(root.node.id);
    case 'xds.node.cluster':
      return text(root.node.cluster);
    default:
      return null;
  }
}

/**
 * Properties of a stream. `request.*` need the request headers, which are gone in the response callbacks; bare `cluster_name` and
 * `route_name` are not there any more.
 */
export function streamProperty(stream: StreamFacts, path: readonly string[]): Uint8Array | null {
  const { info, requestHeaders, responseHeaders } = stream;
  if (path[0] === 'request' && path[1] === 'headers') return text(requestHeaders?.get(path[2] ?? ''));
  if (path[0] === 'response' && path[1] === 'headers') return text(responseHeaders?.get(path[2] ?? ''));
  switch (path.join('.')) {
    case 'request.path':
      return text(requestHeaders?.get(':path'));
    case 'request.url_path':
      return text(requestHeaders?.get(':path')?.split('?')[0]);
    case 'request.method':
      return text(requestHeaders?.get(':method'));
    case 'request.host':
      return text(requestHeaders?.get(':authority'));
    case 'response.flags':
      return int64(info.flags);
    case 'response.code_details':
      return text(info.codeDetails);
    case 'response.code':
      return info.responseCode === null ? null : int64(info.responseCode);
    case 'xds.cluster_name':
      return text(info.clusterName);
    case 'xds.route_name':
      return text(info.routeName);
    case 'connection_id':
      return int64(info.connectionId);
    default:
      return null;
  }
}
