import { EnvoyProxy, type ProxyInit } from './proxy.ts';
import { Puppet, type Script } from './puppet.ts';

/** A proxy with one worker whose module is a script; what its start called is forgotten. */
export function startPuppet(script: Script, init: Partial<ProxyInit> = {}): { module: Puppet; proxy: EnvoyProxy } {
  const module = new Puppet({ log: () => undefined, done: () => 1, delete: () => undefined, ...script });
  const proxy = EnvoyProxy.start({ module, plugin: { configuration: '{}' }, workers: 1, ...init });
  module.calls.length = 0;
  return { module, proxy };
}

/** Headers of the smallest call-out. */
export const CALL: readonly (readonly [string, string])[] = [
  [':method', 'GET'],
  [':path', '/'],
  [':authority', 'side'],
];
