import { HOST_FUNCTIONS } from '../filter/host/signatures.ts';
import { Dice } from './dice.ts';
import { type Documents, pathsOf, SERVICE } from './documents.ts';
import type { FuzzEvent, Step } from './event.ts';
import { forged } from './forge.ts';
import { JsonText } from './json-text.ts';
import { answerHeaders, bodyPiece, flagBits, requestHeaders } from './messages.ts';
import { mutated } from './mutate.ts';
import { VMS, type World } from './world.ts';

const ROOTS = 3;
const SLOTS = 12;
/** After a refusal the filter waits up to this long before it asks again. */
const LONGEST_WAIT_MS = 31_000;
const HOST_CALLS = Object.keys(HOST_FUNCTIONS).map((key) => key.split('.')[1] ?? key);
const FAILURES = [1, 2, 3, 4, 6, 8, 10, 11, 12, 76, 255, -1];

/** Percent of the events that are of a kind; ticks, odd callbacks and failing host calls are the rest. */
interface Mood {
  readonly stream: number;
  readonly answer: number;
  readonly share: number;
  readonly configure: number;
}
/** Each goes deep in one way: a proxy that is configured anew all the time sees no breaker trip. */
const MOODS: readonly Mood[] = [
  { stream: 65, answer: 10, share: 1, configure: 1 },
  { stream: 8, answer: 55, share: 3, configure: 1 },
  { stream: 25, answer: 8, share: 40, configure: 1 },
  { stream: 30, answer: 8, share: 2, configure: 45 },
];

/** Draws what happens to a world next. */
export class Drawer {
  readonly #dice: Dice;
  readonly #documents: Documents;
  #revision = 1;
  #policyRevision = 0;
  #permits = 0;
  #mood: Mood = MOODS[0]!;
  /** Events until the mood changes, and whether the upstream fails meanwhile. */
  #left = 0;
  #failing = false;
  /** What the policy sent last speaks of, so that requests mostly find a feature. */
  #paths: readonly string[] = ['/'];

  constructor(seed: number, documents: Documents) {
    this.#dice = new Dice(seed);
    this.#documents = documents;
  }

  next(world: World): FuzzEvent {
    const dice = this.#dice;
    if (this.#left-- === 0) {
      this.#mood = dice.pick(MOODS);
      this.#left = 50 + dice.below(400);
      this.#failing = dice.chance(60);
      if (dice.chance(70)) return this.#configure(dice.below(VMS), true);
    }
    const { stream, answer, share, configure } = this.#mood;
    const vm = dice.below(VMS);
    const fate = dice.below(100);
    if (fate < stream) return this.#stream(vm);
    if (fate < stream + answer) {
      // One VM leads, so the calls are mostly of one.
      const caller = world.waiting(vm).length > 0 ? vm : VMS - 1 - vm;
      const waiting = world.waiting(caller);
      return waiting.length > 0 ? this.#answer(caller, dice.pick(waiting)) : this.#tick(vm, world);
    }
    if (fate < stream + answer + share) return this.#share(world);
    if (fate < stream + answer + share + configure) return this.#configure(vm, !world.accepted || dice.chance(10));
    if (fate < 94) return this.#tick(vm, world);
    if (fate < 98) return this.#raw(vm, world);
    if (dice.chance(25)) return { do: 'close', vm, root: dice.below(ROOTS) };
    return { do: 'fail', vm, call: dice.pick(HOST_CALLS), result: dice.pick(FAILURES), times: 1 + dice.few(200) };
  }

  #tick(vm: number, world: World): FuzzEvent {
    const waits = world.directiveAccepted ? [1, 50, 100, 300, 1100] : [50, 300, 1100, 3100, LONGEST_WAIT_MS];
    return { do: 'tick', vm, root: this.#dice.below(ROOTS), afterMs: this.#dice.pick(waits) };
  }

  #mutated(document: JsonText): string {
    return mutated(document, this.#documents.values, this.#dice);
  }

  /** `sound`: as a person would write it, for what is to come. */
  #configure(vm: number, sound: boolean): FuzzEvent {
    const dice = this.#dice;
    const { configurations } = this.#documents;
    const document = sound && dice.chance(80) ? configurations[0]! : dice.pick(configurations);
    this.#paths = pathsOf(document);
    return { do: 'configure', vm, root: dice.below(ROOTS), text: sound ? document.text : this.#mutated(document) };
  }

  #answer(vm: number, to: 'directive' | 'reports' | 'other'): FuzzEvent {
    const dice = this.#dice;
    const status = dice.pick(['200', '200', '200', '200', '200', '200', '200', '304', '404', '503']);
    const headers = dice.chance(4) ? null : dice.chance(85) ? ([[':status', status]] as [string, string][]) : answerHeaders(dice, false);
    if (headers !== null && dice.chance(20))
      headers.push(['etag', dice.noise(12)], ['retry-after', dice.pick(['1', '-1', '99999999999', 'x'])]);
    const body = headers === null ? '' : to === 'directive' ? this.#directive() : to === 'reports' ? this.#reply() : bodyPiece(dice);
    const lies = dice.chance(4);
    return {
      do: 'answer',
      vm,
      to,
      headers: headers ?? null,
      body,
      headerCount: lies ? dice.number() : (headers?.length ?? 0),
      bodySize: lies ? dice.number() : body.length,
    };
  }

  #directive(): string {
    const dice = this.#dice;
    // Half of them the lively one, whose features requests find and whose breakers trip.
    const { policies } = this.#documents;
    const policy = dice.chance(60) ? dice.pick(dice.chance(50) ? policies.slice(0, 1) : policies) : null;
    if (policy !== null) this.#policyRevision = ++this.#revision;
    else this.#revision++;
    if (policy !== null) this.#paths = pathsOf(policy);
    const names = [...(policy?.text ?? '"name":"catalog","name":"cart","name":"plain"').matchAll(/"name":"([a-z0-9-]+)"/g)].map(
      ([, name]) => name,
    );
    const flags = [...new Set(names)].filter(() => dice.chance(50)).map((feature) => this.#flag(feature ?? ''));
    const head = `{"service":"${SERVICE}","lineage":"${dice.chance(90) ? 'a' : 'b'}","revision":${this.#revision},"hash":"h${this.#revision}",`;
    const rest = `"policyRevision":${this.#policyRevision},"proxies":${dice.pick([0, 1, 3, 1000])},"flags":[${flags.join()}]`;
    const text = `${head}${rest}${policy === null ? (dice.chance(5) ? ',"deleted":true' : '') : `,"policy":${policy.text}`}}`;
    return dice.chance(35) ? text : this.#mutated(new JsonText(text));
  }

  #flag(feature: string): string {
    const dice = this.#dice;
    const expires = dice.chance(30) ? `,"expiresInMs":${dice.below(5000)}` : '';
    const state = dice.pick(['DISABLED', 'TESTING', 'ENABLED']);
    return `{"feature":"${feature}","step":${this.#revision},"state":"${state}","admit":${dice.below(10_001)},"by":"${dice.pick(['recovery', 'person'])}"${expires}}`;
  }

  #reply(): string {
    const dice = this.#dice;
    const feature = dice.pick(['catalog', 'cart', 'plain', 'none']);
    const permits = `{"feature":"${feature}","step":${dice.chance(80) ? this.#revision : this.#permits++},"count":${dice.below(6)},"ttlMs":${1 + dice.below(2000)}}`;
    const health = `{"feature":"${feature}","health":"${dice.pick(['UNKNOWN', 'HEALTHY', 'DEGRADED', 'UNHEALTHY'])}"}`;
    const text = `{"lineage":"a","revision":${this.#revision},"governorAgeMs":${dice.below(20_000)},"permits":[${permits}],"health":[${health}]}`;
    return dice.chance(30) ? text : this.#mutated(new JsonText(text));
  }

  #stream(vm: number): FuzzEvent {
    const dice = this.#dice;
    const slot = dice.below(SLOTS);
    const steps: Step[] = [];
    const request = requestHeaders(dice, dice.chance(80) ? this.#paths : this.#documents.paths);
    const count = (actual: number): number => (dice.chance(3) ? dice.number() : actual);
    const cluster = dice.pick(['shop', 'spare', 'c1', '']);
    const whole = dice.chance(80);
    if (dice.chance(95)) steps.push({ call: 'request_headers', args: [count(request.length), whole ? 1 : 0], headers: request, cluster });
    if (!whole) steps.push(this.#body('request_body'));
    if (dice.chance(3)) steps.push({ call: 'request_trailers', args: [count(0)] });
    for (let times = dice.chance(85) ? 1 : dice.few(2); times > 0; times--) {
      const answer = answerHeaders(dice, this.#failing);
      const args = [count(answer.length), dice.chance(20) ? 1 : 0];
      steps.push({ call: 'response_headers', args, headers: answer, flags: flagBits(dice), cluster: dice.chance(20) ? 'spare' : cluster });
    }
    for (let times = dice.few(4); times > 0; times--) steps.push(this.#body('response_body'));
    if (dice.chance(8)) steps.push({ call: 'response_trailers', args: [count(0)] });
    if (dice.chance(85)) steps.push({ call: 'log', args: [], headers: request, flags: flagBits(dice) });
    if (dice.chance(80)) steps.push({ call: 'done', args: [] }, { call: 'delete', args: [] });
    else if (dice.chance(15)) steps.push({ call: 'vanish', args: [] });
    if (dice.chance(5)) steps.sort(() => dice.below(3) - 1);
    return { do: 'stream', vm, root: dice.below(ROOTS), slot, steps };
  }

  #body(call: string): Step {
    const dice = this.#dice;
    const body = bodyPiece(dice);
    return { call, args: [dice.chance(4) ? dice.number() : body.length, dice.below(2)], body };
  }

  #share(world: World): FuzzEvent {
    const dice = this.#dice;
    const keys = world.shared.keys(world.vmId);
    if (keys.length === 0) return { do: 'share', key: 'rk1:proxy', bytes: dice.noise(80) };
    // Most keys belong to workers' slots and to the cache: the few others would hardly ever be drawn.
    const wanted = dice.pick(['policy', 'flags', 'directive', 'body', 'meta', 'slot', 'trying', '']);
    const fitting = keys.filter((key) => key.includes(wanted));
    const key = dice.pick(fitting.length > 0 ? fitting : keys);
    const old = world.shared.get(world.vmId, key)?.bytes ?? new Uint8Array();
    const text = Buffer.from(old).toString('latin1');
    const isDocument = text.startsWith('{') && dice.chance(80);
    return { do: 'share', key, bytes: isDocument ? this.#mutatedStored(text) : forged(old, dice) };
  }

  /** A stored document; the foreign hand may have spoilt it already. */
  #mutatedStored(text: string): string {
    try {
      JSON.parse(text);
    } catch {
      return text.slice(0, this.#dice.below(text.length));
    }
    return this.#mutated(new JsonText(text));
  }

  #raw(vm: number, world: World): FuzzEvent {
    const dice = this.#dice;
    const name = dice.pick(world.exports().filter((found) => found.startsWith('proxy_on_')));
    const id = dice.chance(80) ? dice.below(60) : dice.number();
    return {
      do: 'raw',
      vm,
      name,
      args: [id, dice.chance(50) ? dice.below(100) : dice.number(), dice.number(), dice.number(), dice.number()],
    };
  }
}
