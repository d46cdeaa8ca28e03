import { Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import { decodePairs } from '../pairs.ts';
import type { Vm } from '../vm.ts';

const MAX_STREAM_TYPE = 3;

/** What a callback may do to a stream; all of it happens after the callback has returned. */
export function streamCalls(vm: Vm): Record<string, HostFunction> {
  return {
    proxy_continue_stream: (type: number) => (type > MAX_STREAM_TYPE ? Result.BadArgument : vm.context.continueStream(type)),
    proxy_close_stream: (type: number) => (type > MAX_STREAM_TYPE ? Result.BadArgument : vm.context.closeStream(type)),
    proxy_set_effective_context: (id: number) => (vm.setEffective(id >>> 0) ? Result.Ok : Result.BadArgument),
    /** Answers Ok always: also when the stream is gone, and when its headers have long been sent. */
    proxy_send_local_response(
      status: number,
      detailsAt: number,
      detailsSize: number,
      bodyAt: number,
      bodySize: number,
      headersAt: number,
      headersSize: number,
      grpcStatus: number,
    ) {
      const details = vm.memory.text(detailsAt, detailsSize);
      const body = vm.memory.bytes(bodyAt, bodySize)?.slice();
      const headers = vm.memory.bytes(headersAt, headersSize);
      if (details === null || body === undefined || headers === null) return Result.InvalidMemoryAccess;
      const reply = { status, body, headers: decodePairs(headers), grpcStatus, details: details.replaceAll(/\s/g, '_') };
      const context = vm.context;
      vm.afterCallback(() => context.sendLocalReply(reply));
      vm.stopped = true;
      return Result.Ok;
    },
  };
}
