import { MAX_HEADER_MAP_TYPE, Result } from '../enums.ts';
import type { HostFunction } from '../guest.ts';
import type { HeaderMap } from '../header-map.ts';
import { decodePairs, encodePairs } from '../pairs.ts';
import { headerBytes } from '../text.ts';
import type { Vm } from '../vm.ts';

/** Header maps: reads take the first value of a name only; every change of the request's clears the route cache. */
export function headerCalls(vm: Vm): Record<string, HostFunction> {
  const change = (
    type: number,
    keyAt: number,
    keySize: number,
    valueAt: number,
    valueSize: number,
    apply: (map: HeaderMap, key: string, value: string) => void,
  ) => {
    if (type > MAX_HEADER_MAP_TYPE) return Result.BadArgument;
    const key = vm.memory.text(keyAt, keySize);
    const value = vm.memory.text(valueAt, valueSize);
    if (key === null || value === null) return Result.InvalidMemoryAccess;
    const map = vm.context.mapToWrite(type);
    if (map === null) return Result.BadArgument;
    apply(map, key, value);
    vm.context.mutated(type);
    return Result.Ok;
  };

  return {
    proxy_get_header_map_value(type: number, keyAt: number, keySize: number, valueAt: number, sizeAt: number) {
      if (type > MAX_HEADER_MAP_TYPE) return Result.BadArgument;
      const key = vm.memory.text(keyAt, keySize);
      if (key === null) return Result.InvalidMemoryAccess;
      const context = vm.context;
      const map = context.mapToRead(type);
      if (map === null) return context.logPhase ? Result.NotFound : Result.BadArgument;
      const value = map.get(key.toLowerCase());
      if (value === undefined) return Result.NotFound;
      return vm.give(headerBytes(value), valueAt, sizeAt) ? Result.Ok : Result.InvalidMemoryAccess;
    },
    proxy_add_header_map_value: (type: number, keyAt: number, keySize: number, valueAt: number, valueSize: number) =>
      change(type, keyAt, keySize, valueAt, valueSize, (map, key, value) => map.add(key, value)),
    proxy_replace_header_map_value: (type: number, keyAt: number, keySize: number, valueAt: number, valueSize: number) =>
      change(type, keyAt, keySize, valueAt, valueSize, (map, key, value) => map.set(key, value)),
    proxy_remove_header_map_value: (type: number, keyAt: number, keySize: number) =>
      change(type, keyAt, keySize, 0, 0, (map, key) => map.remove(key)),
    proxy_get_header_map_pairs(type: number, dataAt: number, sizeAt: number) {
      if (type > MAX_HEADER_MAP_TYPE) return Result.BadArgument;
      const pairs = vm.context.mapToRead(type)?.pairs ?? [];
      const bytes = pairs.length === 0 ? new Uint8Array() : encodePairs(pairs);
      return vm.give(bytes, dataAt, sizeAt) ? Result.Ok : Result.InvalidMemoryAccess;
    },
    proxy_set_header_map_pairs(type: number, dataAt: number, size: number) {
      if (type > MAX_HEADER_MAP_TYPE) return Result.BadArgument;
      const bytes = vm.memory.bytes(dataAt, size);
      if (bytes === null) return Result.InvalidMemoryAccess;
      const map = vm.context.mapToWrite(type);
      if (map === null) return Result.BadArgument;
      map.replaceAll(decodePairs(bytes));
      vm.context.mutated(type);
      return Result.Ok;
    },
    proxy_get_header_map_size(type: number, sizeAt: number) {
      if (type > MAX_HEADER_MAP_TYPE) return Result.BadArgument;
      const map = vm.context.mapToWrite(type);
      if (map === null) return Result.BadArgument;
      const size = map.pairs.reduce((sum, [name, value]) => sum + name.length + value.length, 0);
      return vm.memory.writeU32(sizeAt, size) ? Result.Ok : Result.InvalidMemoryAccess;
    },
  };
}
