import { Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import type { Vm } from '../vm.ts';

export function propertyCalls(vm: Vm): Record<string, HostFunction> {
  return {
    /** Parts of the path are separated by NUL; a NUL at the end changes nothing. */
    proxy_get_property(pathAt: number, pathSize: number, valueAt: number, sizeAt: number) {
      const path = vm.memory.text(pathAt, pathSize);
      if (path === null) return Result.InvalidMemoryAccess;
      const value = vm.context.property(path.replace(/\0$/, '').split('\0'));
      if (value === null) return Result.NotFound;
      return vm.give(value, valueAt, sizeAt) ? Result.Ok : Result.InvalidMemoryAccess;
    },
  };
}
