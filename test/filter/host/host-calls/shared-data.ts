import { Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import type { Vm } from '../vm.ts';

export function sharedDataCalls(vm: Vm): Record<string, HostFunction> {
  return {
    proxy_get_shared_data(keyAt: number, keySize: number, valueAt: number, sizeAt: number, casAt: number) {
      const key = vm.memory.text(keyAt, keySize);
      if (key === null) return Result.InvalidMemoryAccess;
      const value = vm.process.shared.get(vm.vmId, key);
      if (value === undefined) return Result.NotFound;
      if (!vm.give(value.bytes, valueAt, sizeAt)) return Result.InvalidMemoryAccess;
      return vm.memory.writeU32(casAt, value.cas) ? Result.Ok : Result.InvalidMemoryAccess;
    },
    proxy_set_shared_data(keyAt: number, keySize: number, valueAt: number, valueSize: number, cas: number) {
      const key = vm.memory.text(keyAt, keySize);
      const value = vm.memory.bytes(valueAt, valueSize);
      if (key === null || value === null) return Result.InvalidMemoryAccess;
      return vm.process.shared.set(vm.vmId, key, value, cas >>> 0);
    },
  };
}
