import { LogLevel, Result, Wasi } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import { bodyText } from '../text.ts';
import type { Vm } from '../vm.ts';

const REALTIME = 0;
const MONOTONIC = 1;
const MAX_RANDOM_BYTES = 64 * 1024;

/** Log, clocks, randomness, tick. */
export function systemCalls(vm: Vm): Record<string, HostFunction> {
  const { clock, random } = vm.process;
  return {
    proxy_log(level: number, messageAt: number, size: number) {
      if (level > LogLevel.Critical) return Result.BadArgument;
      const bytes = vm.memory.bytes(messageAt, size);
      if (bytes === null) return Result.InvalidMemoryAccess;
      vm.process.log(vm.name, level, bodyText(bytes));
      return Result.Ok;
    },
    proxy_get_log_level: (levelAt: number) => (vm.memory.writeU32(levelAt, LogLevel.Info) ? Result.Ok : Result.InvalidMemoryAccess),
    proxy_set_tick_period_milliseconds(periodMs: number) {
      vm.setTickPeriod(vm.context.root.id, periodMs >>> 0);
      return Result.Ok;
    },
    proxy_get_current_time_nanoseconds: (timeAt: number) =>
      vm.memory.writeU64(timeAt, BigInt(clock.wallMs) * 1_000_000n) ? Result.Ok : Result.InvalidMemoryAccess,
    clock_time_get(id: number, _precision: bigint, timeAt: number) {
      if (id !== REALTIME && id !== MONOTONIC) return Wasi.NotSupported;
      const time = id === MONOTONIC ? clock.monotonicNs : BigInt(clock.wallMs) * 1_000_000n;
      return vm.memory.writeU64(timeAt, time) ? Wasi.Success : Wasi.Fault;
    },
    random_get(dataAt: number, size: number) {
      if (size >>> 0 > MAX_RANDOM_BYTES) return Wasi.Invalid;
      return vm.memory.write(dataAt, random.bytes(size)) ? Wasi.Success : Wasi.Fault;
    },
  };
}
