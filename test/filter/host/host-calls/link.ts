import type { HostFunction, HostImports } from '../guest.ts';
import { HOST_FUNCTIONS } from '../signatures.ts';
import type { Vm } from '../vm.ts';
import { bufferCalls } from './buffers.ts';
import { callOutCalls } from './call-outs.ts';
import { headerCalls } from './headers.ts';
import { metricCalls } from './metrics.ts';
import { propertyCalls } from './properties.ts';
import { sharedDataCalls } from './shared-data.ts';
import { streamCalls } from './streams.ts';
import { systemCalls } from './system.ts';

/** Host functions of one VM, by concern; all of them count themselves and trap where Envoy restricts them. */
export function linkHost(vm: Vm): HostImports {
  const functions: Record<string, HostFunction> = {
    ...headerCalls(vm),
    ...bufferCalls(vm),
    ...streamCalls(vm),
    ...callOutCalls(vm),
    ...sharedDataCalls(vm),
    ...metricCalls(vm),
    ...propertyCalls(vm),
    ...systemCalls(vm),
  };
  const imports: Record<string, Record<string, HostFunction>> = {};
  for (const key of Object.keys(HOST_FUNCTIONS)) {
    const [module = '', name = ''] = key.split('.');
    imports[module] ??= {};
    imports[module][name] = guarded(vm, key, name, functions[name]);
  }
  return imports;
}

function guarded(vm: Vm, key: string, name: string, run: HostFunction | undefined): HostFunction {
  return (...args) => {
    vm.counts.add(name);
    if (vm.isRestricted(key)) throw new WebAssembly.RuntimeError('restricted_callback');
    vm.process.beforeHostCall?.(vm, name, args);
    if (vm.process.trapWhen?.(vm, name, args) === true) throw new WebAssembly.RuntimeError('unreachable');
    if (run === undefined) throw new Error(`the emulated host does not have ${key}`);
    const result = run(...args);
    vm.counts.answered(name, result);
    return result;
  };
}
