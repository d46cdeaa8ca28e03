import { Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import type { Vm } from '../vm.ts';

export function metricCalls(vm: Vm): Record<string, HostFunction> {
  return {
    proxy_define_metric(type: number, nameAt: number, nameSize: number, idAt: number) {
      const name = vm.memory.text(nameAt, nameSize);
      if (name === null) return Result.InvalidMemoryAccess;
      const id = vm.metrics.define(type, name);
      if (id === null) return Result.BadArgument;
      return vm.memory.writeU32(idAt, id) ? Result.Ok : Result.InvalidMemoryAccess;
    },
    proxy_increment_metric: (id: number, offset: bigint) => vm.metrics.increment(id >>> 0, BigInt.asIntN(64, offset)),
    proxy_record_metric: (id: number, value: bigint) => vm.metrics.record(id >>> 0, BigInt.asUintN(64, value)),
    proxy_get_metric(id: number, valueAt: number) {
      const value = vm.metrics.get(id >>> 0);
      if (typeof value === 'number') return value;
      return vm.memory.writeU64(valueAt, BigInt.asUintN(64, value)) ? Result.Ok : Result.InvalidMemoryAccess;
    },
  };
}
