import binaryen from 'binaryen';
import { describe, expect, test } from 'vitest';
import { LoadError } from './guest.ts';
import { WasmModule } from './module.ts';
import { EnvoyProxy } from './proxy.ts';

/** A module from its text form. */
function assemble(body: string): Uint8Array {
  const module = binaryen.parseText(`(module ${body})`);
  module.setFeatures(binaryen.Features.All);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const MEMORY = '(memory (export "memory") 1)';
const ABI = '(func (export "proxy_abi_version_0_2_1"))';
const ALLOCATE = '(func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))';
const LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))';
const TICK = '(import "env" "proxy_set_tick_period_milliseconds" (func $tick (param i32) (result i32)))';

const load = (body: string) => new WasmModule(assemble(body));
const start = (body: string) => EnvoyProxy.start({ module: load(body), plugin: { configuration: '{}' }, workers: 1 });

describe('what Envoy does not load', () => {
  test.for([
    {
      name: 'an import that it does not have',
      body: '(import "env" "abort" (func (param i32 i32 i32 i32)))',
      says: 'unknown import: env.abort',
    },
    { name: 'an imported global', body: '(import "env" "g" (global i32))', says: 'unknown import: env.g (global)' },
    {
      name: 'an import of another type',
      body: '(import "env" "proxy_log" (func (param i32) (result i32)))',
      says: 'wrong type: env.proxy_log',
    },
    {
      name: 'a call that only other ABIs have',
      body: '(import "env" "proxy_clear_route_cache" (func (result i32)))',
      says: 'unknown import',
    },
    { name: 'a callback of another type', body: '(func (export "proxy_on_tick") (param i64))', says: 'proxy_on_tick must be i:, is I:' },
  ])('$name', ({ body, says }) => {
    expect(() => load(`${body} ${MEMORY} ${ABI} ${ALLOCATE}`)).toThrow(says);
  });

  test.for([
    { name: 'no ABI version', body: `${MEMORY} ${ALLOCATE}`, says: 'proxy_abi_version_0_2_1' },
    {
      name: 'an ABI version that is not a function',
      body: `${MEMORY} ${ALLOCATE} (global (export "proxy_abi_version_0_2_1") i32 (i32.const 0))`,
      says: 'proxy_abi_version_0_2_1',
    },
    { name: 'no allocator', body: `${MEMORY} ${ABI}`, says: 'no allocator' },
    { name: 'no memory', body: `${ABI} ${ALLOCATE}`, says: 'no memory' },
  ])('a module with $name', ({ body, says }) => {
    expect(() => load(body)).toThrow(says);
  });

  test('the smallest module loads, and every callback may be missing', () => {
    const proxy = start(`${MEMORY} ${ABI} ${ALLOCATE}`);
    proxy.onUpstream = (upstream) => upstream.answer({ body: 'hello' });
    expect(proxy.request().client.body).toBe('hello');
  });
});

describe('a module that starts', () => {
  const initialise = (call: string) => `${LOG} ${TICK} ${MEMORY} ${ABI} ${ALLOCATE} (func (export "_initialize") (drop (call ${call})))`;

  test('may log while it initialises', () => {
    const proxy = start(initialise('$log (i32.const 2) (i32.const 0) (i32.const 0)'));
    expect(proxy.logs.filter((line) => line.message === '').length).toBe(3);
    expect(proxy.liveVms).toHaveLength(2);
  });

  test('traps on any other host call there', () => {
    expect(() => start(initialise('$tick (i32.const 50)'))).toThrow(LoadError);
  });

  test.for(['(return (i32.const 0))', '(unreachable)'])('and says %s to its configuration is refused', (answer) => {
    const body = `${MEMORY} ${ABI} ${ALLOCATE} (func (export "proxy_on_configure") (param i32 i32) (result i32) ${answer})`;
    expect(() => start(body)).toThrow(LoadError);
  });
});

describe('a trap', () => {
  test.for([
    { name: 'unreachable', code: '(unreachable)' },
    { name: 'memory out of bounds', code: '(return (i32.load (i32.const 70000)))' },
    { name: 'endless recursion', code: '(return (call $headers (local.get 0) (local.get 1) (local.get 2)))' },
  ])('by $name kills the VM', ({ code }) => {
    const headers = `(func $headers (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) ${code})`;
    const proxy = start(`${MEMORY} ${ABI} ${ALLOCATE} ${headers}`);
    expect(proxy.request().client.status).toBe(503);
    expect(proxy.workers[0]!.vm.failure).not.toBeNull();
  });
});
