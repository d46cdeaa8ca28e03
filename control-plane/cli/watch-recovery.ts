import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { FeatureView } from '../contract/rest/features.ts';
import type { RecoveryView } from '../contract/rest/recoveries.ts';
import type { Cli } from './cli.ts';
import { EXIT, type ExitCode, Failure, refused } from './failure.ts';
import { part } from './options.ts';
import { momentOf, percentOf, plural, reasonOf, spanOf } from './output/words.ts';

const POLL_MS = 1000;
/** Where nothing can be written over, a sign of life comes this often. */
const STILL_RUNNING_MS = 30_000;

type Entry = RecoveryView['timeline'][number];

/**
 * Tells what happens in a recovery until it ends, and gives the exit code that its result deserves. It asks once a second, so it goes on
 * through restarts and over any replica; while nobody answers it waits.
 */
export async function watchRecovery(cli: Cli, service: string, id: string, withinMs: number | null): Promise<ExitCode> {
  const { out, now, interrupted } = cli;
  const startedAtMs = now();
  let told: readonly Entry[] = [];
  let saidAtMs = startedAtMs;
  try {
    for (;;) {
      const seen = await lookAt(cli, service, id);
      if (seen) {
        const news = entriesAfter(told, seen.recovery.timeline);
        for (const entry of news) out.event(entry, lineOf(entry));
        if (news.length > 0) saidAtMs = now();
        told = seen.recovery.timeline;
        if (seen.recovery.endedAtMs !== null) return ended(cli, seen.recovery);
      }
      const progress = seen ? progressOf(seen.recovery, seen.features, now()) : 'the control plane does not answer; asking again';
      if (out.isLive) out.live(progress);
      else if (now() - saidAtMs >= STILL_RUNNING_MS) {
        out.note(progress);
        saidAtMs = now();
      }
      if (withinMs !== null && now() - startedAtMs >= withinMs)
        throw refused(`the recovery ${id} has not ended within ${spanOf(withinMs)}`);
      await sleep(POLL_MS, undefined, { signal: interrupted });
    }
  } finally {
    out.live('');
  }
}

interface Seen {
  readonly recovery: RecoveryView;
  readonly features: readonly FeatureView[];
}

/** null: nobody answers at present. */
async function lookAt({ api }: Cli, service: string, id: string): Promise<Seen | null> {
  const path = `v1/services/${part(service)}`;
  try {
    const { body: recovery } = await api.get<RecoveryView>(`${path}/recoveries/${part(id)}`);
    return { recovery, features: (await api.get<{ items: FeatureView[] }>(`${path}/features`)).body.items };
  } catch (error) {
    if (error instanceof Failure && error.exitCode === EXIT.unreachable) return null;
    throw error;
  }
}

/** Timelines are bounded: of a long one the oldest entries are gone. */
function entriesAfter(told: readonly Entry[], timeline: readonly Entry[]): readonly Entry[] {
  const last = told.at(-1);
  return timeline.slice(timeline.findLastIndex((entry) => isDeepStrictEqual(entry, last)) + 1);
}

function lineOf({ atMs, feature, event, reason }: Entry): string {
  return [momentOf(atMs), feature ?? '-', event, reasonOf(reason)].join('  ');
}

function progressOf({ startedAtMs, pauses }: RecoveryView, features: readonly FeatureView[], nowMs: number): string {
  const pause = pauses.find(({ endedAtMs }) => endedAtMs === null);
  const paused = pause ? ` paused by ${pause.author} (${pause.reason})` : '';
  const low = features.filter(({ state }) => state !== 'ENABLED').map((feature) => featureWords(feature, nowMs));
  return `${spanOf(nowMs - startedAtMs)}${paused}: ${low.length === 0 ? 'all features are ENABLED' : low.join('; ')}`;
}

function featureWords({ name, state, admit, recovery }: FeatureView, nowMs: number): string {
  const wait = recovery && recovery.nextAttemptAtMs > nowMs ? `, next in ${spanOf(recovery.nextAttemptAtMs - nowMs)}` : '';
  return `${name} ${state} ${percentOf(admit)}${recovery ? ` ${recovery.phase}${wait}` : ''}`;
}

function ended({ out }: Cli, { timeline: _, ...summary }: RecoveryView): ExitCode {
  const { id, result, startedAtMs, endedAtMs, pausedMs, interventions } = summary;
  const took = spanOf((endedAtMs ?? startedAtMs) - startedAtMs);
  const people = interventions > 0 ? `, ${plural(interventions, 'intervention')}, paused for ${spanOf(pausedMs)}` : '';
  out.event(summary, `${id} ended: ${result} after ${took}${people}`);
  return result === 'recovered' || result === 'recovered-locally' ? EXIT.fine : EXIT.refused;
}
