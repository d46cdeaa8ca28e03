import { startCall } from '../calls.ts';
import { Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import { HeaderMap } from '../header-map.ts';
import { decodePairs } from '../pairs.ts';
import { headerBytes } from '../text.ts';
import type { Vm } from '../vm.ts';

/** HTTP call-outs: always of the root context, whichever stream asks. */
export function callOutCalls(vm: Vm): Record<string, HostFunction> {
  return {
    proxy_http_call(
      clusterAt: number,
      clusterSize: number,
      headersAt: number,
      headersSize: number,
      bodyAt: number,
      bodySize: number,
      trailersAt: number,
      trailersSize: number,
      timeoutMs: number,
      tokenAt: number,
    ) {
      const cluster = vm.memory.text(clusterAt, clusterSize);
      const pairs = vm.memory.bytes(headersAt, headersSize);
      const body = vm.memory.bytes(bodyAt, bodySize)?.slice();
      const trailers = vm.memory.bytes(trailersAt, trailersSize);
      if (cluster === null || pairs === null || body === undefined || trailers === null) return Result.InvalidMemoryAccess;
      if (!vm.memory.writeU32(tokenAt, 0)) return Result.InvalidMemoryAccess;
      const headers = new HeaderMap();
      headers.replaceAll(decodePairs(pairs));
      if (body.length > 0) headers.set('content-length', String(body.length));
      const token = vm.newToken();
      const { clock, clusters } = vm.process;
      const started = startCall(clock, vm.context.root, clusters, token, { cluster, headers, body, timeoutMs });
      if (typeof started === 'number') return started;
      vm.memory.writeU32(tokenAt, token);
      return Result.Ok;
    },
    proxy_get_status(codeAt: number, messageAt: number, sizeAt: number) {
      const { code, message } = vm.context.root.status;
      return vm.memory.writeU32(codeAt, code) && vm.give(headerBytes(message), messageAt, sizeAt) ? Result.Ok : Result.InvalidMemoryAccess;
    },
  };
}
