import type { GuestModule } from '../filter/host/guest.ts';
import type { Documents } from './documents.ts';
import { Drawer } from './draw.ts';
import type { FuzzEvent } from './event.ts';
import { World } from './world.ts';

/** Events that one pair of VMs sees before fresh ones take over. */
const EPISODE = 3000;

export interface Finding {
  readonly seed: number;
  /** What went wrong. */
  readonly what: string;
  /** All that was told until then. */
  readonly events: readonly FuzzEvent[];
}

export interface Episode {
  readonly inputs: number;
  readonly finding: Finding | null;
}

/** One life of a pair of VMs. The seed alone decides what they meet. */
export function runEpisode(module: GuestModule, documents: Documents, seed: number, events = EPISODE): Episode {
  const world = new World(module);
  const drawer = new Drawer(seed, documents);
  const told: FuzzEvent[] = [];
  let inputs = 0;
  for (let i = 0; i < events; i++) {
    const event = drawer.next(world);
    told.push(event);
    inputs += inputsOf(event);
    const what = world.tell(event);
    if (what !== null) return { inputs, finding: { seed, what, events: told } };
  }
  return { inputs, finding: null };
}

/** Pieces that come from outside: documents, answers, header blocks, parts of bodies, shared values, odd callbacks. */
function inputsOf(event: FuzzEvent): number {
  if (event.do === 'tick') return 0;
  return event.do === 'stream' ? event.steps.filter(({ headers, body }) => headers !== undefined || body !== undefined).length : 1;
}

/** What goes wrong when these events are told to a fresh world; null: nothing. */
export function replay(module: GuestModule, events: readonly FuzzEvent[]): string | null {
  const world = new World(module);
  for (const event of events) {
    const what = world.tell(event);
    if (what !== null) return what;
  }
  return null;
}

/** Leaves out what is not needed for the same end (delta debugging, Zeller 1999), within a bound of time. */
export function shortened(module: GuestModule, events: readonly FuzzEvent[], what: string, mostMs = 10_000): FuzzEvent[] {
  const until = performance.now() + mostMs;
  const kind = what.slice(0, what.indexOf(':'));
  const stillEnds = (candidate: readonly FuzzEvent[]): boolean => replay(module, candidate)?.startsWith(kind) === true;
  let kept = [...events];
  for (let size = kept.length >> 1; size >= 1; size = size >> 1) {
    for (let at = kept.length - size; at >= 0; at -= size) {
      if (performance.now() > until) return kept;
      const candidate = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (stillEnds(candidate)) kept = candidate;
    }
  }
  return kept;
}
