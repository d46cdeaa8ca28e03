import { loadFilter } from '../filter/compile.ts';

/** Exports of test/filter/exports/wire.ts as the loader gives them: objects are pointers. */
interface WireExports {
  readonly BYTES_ID: { readonly value: number };
  readonly COUNTS_ID: { readonly value: number };
  jsonProblems(bytes: number, maxBytes: number, maxDepth: number): number;
  clusterProblems(bytes: number, allowed: number): number;
  patternMatches(pattern: number, bytes: number): number;
  patternCount(): number;
  integerValue(bytes: number): bigint;
  nameCount(): number;
  nameAt(name: number): number;
  nameIs(name: number, bytes: number): number;
  startReport(node: number, instance: number, version: number, lineage: number, reason: number, counts: number): void;
  addFeature(name: number, counts: number): void;
  reportBytes(): number;
}
type TextOfBytes = 'policyProblems' | 'directiveProblems' | 'settingsProblems' | 'replyProblems' | 'settingsLine';
type JsonOfBytes = 'documentJson' | 'policyJson' | 'settingsJson' | 'replyJson' | 'directivePolicyJson';
type BytesOfBytes = 'flagsOf' | 'policyBytesOf';

export interface Located {
  readonly path: string;
  readonly reason: string;
}

/** A report as the filter holds it, in numbers that may be out of any range. */
export interface RawReport {
  readonly node: string;
  readonly instance: string;
  readonly version: string;
  readonly lineage: string;
  readonly reason: string;
  /** sequence, uptimeMs, intervalMs, revision, governed, rejected count, rejected revision */
  readonly counts: readonly bigint[];
  /** step, phase, admitted, succeeded, failed, ignored, slow, refused, three rungs, 12 latency buckets */
  readonly features: readonly { readonly name: string; readonly counts: readonly bigint[] }[];
}

const COLLECT_EVERY = 50;

export type WireModule = Awaited<ReturnType<typeof loadWire>>;

/** The filter's wire code in a module of its own. A call that traps throws. */
export async function loadWire() {
  const module = await loadFilter<WireExports & Record<TextOfBytes | JsonOfBytes | BytesOfBytes, (bytes: number) => number>>(
    'wire',
    'minimal',
  );
  const { BYTES_ID, COUNTS_ID } = module;
  const text = (value: string) => module.__pin(module.__newString(value));
  const array = (id: { readonly value: number }, values: ArrayLike<number | bigint>) =>
    module.__pin(module.__newArray(id.value, values as number[]));

  let calls = 0;
  /** Calls with arguments that live as long as the call, and collects garbage now and then, as the release does on its tick. */
  const call = <T>(args: number[], run: (...args: number[]) => T): T => {
    try {
      return run(...args);
    } finally {
      for (const pointer of args) module.__unpin(pointer);
      if (++calls % COLLECT_EVERY === 0) module.__collect();
    }
  };
  const asBytes = (input: string | Uint8Array) => array(BYTES_ID, typeof input === 'string' ? new TextEncoder().encode(input) : input);
  const located = (pointer: number): Located[] =>
    module
      .__getString(pointer)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => ({ path: line.slice(0, line.indexOf('\t')), reason: line.slice(line.indexOf('\t') + 1) }));

  return {
    jsonProblems: (input: string | Uint8Array, maxBytes = 1 << 20, maxDepth = 16) =>
      call([asBytes(input)], (bytes) => located(module.jsonProblems(bytes ?? 0, maxBytes, maxDepth))),
    problems: (kind: 'policy' | 'directive' | 'settings' | 'reply', input: string | Uint8Array) =>
      call([asBytes(input)], (bytes) => located(module[`${kind}Problems`](bytes ?? 0))),
    clusterProblems: (input: string | Uint8Array, allowed: string) =>
      call([asBytes(input), text(allowed)], (bytes, names) => located(module.clusterProblems(bytes ?? 0, names ?? 0))),
    settingsLine: (input: string | Uint8Array) => call([asBytes(input)], (bytes) => module.__getString(module.settingsLine(bytes ?? 0))),
    json: (read: JsonOfBytes, input: string | Uint8Array): unknown =>
      call([asBytes(input)], (bytes) => JSON.parse(module.__getString(module[read](bytes ?? 0)))),
    bytes: (read: BytesOfBytes, input: string | Uint8Array) =>
      call([asBytes(input)], (bytes) => Uint8Array.from(module.__getUint8ArrayView(module[read](bytes ?? 0)))),
    patternMatches: (pattern: number, input: string | Uint8Array) =>
      call([asBytes(input)], (bytes) => module.patternMatches(pattern, bytes ?? 0) !== 0),
    patternCount: () => module.patternCount(),
    integerValue: (input: string) => call([asBytes(input)], (bytes) => module.integerValue(bytes ?? 0)),
    names: () => Array.from({ length: module.nameCount() }, (_, name) => module.__getString(module.nameAt(name))),
    nameIs: (name: number, input: string) => call([asBytes(input)], (bytes) => module.nameIs(name, bytes ?? 0) !== 0),
    encodeReport: ({ node, instance, version, lineage, reason, counts, features }: RawReport): Uint8Array => {
      const head = [node, instance, version, lineage, reason].map(text);
      call([...head, array(COUNTS_ID, counts)], (...args) => module.startReport(...(args as Parameters<WireExports['startReport']>)));
      for (const feature of features) {
        call([text(feature.name), array(COUNTS_ID, feature.counts)], (name, values) => module.addFeature(name ?? 0, values ?? 0));
      }
      return Uint8Array.from(module.__getUint8ArrayView(module.reportBytes()));
    },
  };
}
