import { MAX_BUFFER_TYPE, Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import type { Vm } from '../vm.ts';

/** Bodies and configuration, while the callback that they belong to runs. */
export function bufferCalls(vm: Vm): Record<string, HostFunction> {
  return {
    proxy_get_buffer_bytes(type: number, startArg: number, maxArg: number, dataAt: number, sizeAt: number) {
      if (type > MAX_BUFFER_TYPE) return Result.BadArgument;
      const buffer = vm.context.buffer(type);
      if (buffer === null) return Result.NotFound;
      const start = startArg >>> 0;
      const max = maxArg >>> 0;
      if (start + max > 0xffffffff) return Result.BadArgument;
      const piece = start > buffer.size ? new Uint8Array() : buffer.bytes.subarray(start, start + max);
      return vm.give(piece, dataAt, sizeAt) ? Result.Ok : Result.InvalidMemoryAccess;
    },
    proxy_get_buffer_status(type: number, lengthAt: number, flagsAt: number) {
      if (type > MAX_BUFFER_TYPE) return Result.BadArgument;
      const buffer = vm.context.buffer(type);
      if (buffer === null) return Result.NotFound;
      return vm.memory.writeU32(lengthAt, buffer.size) && vm.memory.writeU32(flagsAt, 0) ? Result.Ok : Result.InvalidMemoryAccess;
    },
    proxy_set_buffer_bytes(type: number, start: number, length: number, dataAt: number, dataSize: number) {
      if (type > MAX_BUFFER_TYPE) return Result.BadArgument;
      const buffer = vm.context.buffer(type);
      if (buffer === null) return Result.NotFound;
      const data = vm.memory.bytes(dataAt, dataSize);
      if (data === null) return Result.InvalidMemoryAccess;
      return buffer.replace(start >>> 0, length >>> 0, data);
    },
  };
}
