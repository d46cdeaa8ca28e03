import type { Pause, Reason, Refusal, ServiceState, StepResult } from '../model.ts';
import type { Author } from '../overrides.ts';
import { Draft } from './draft.ts';
import { activePause, isRunning } from './running.ts';

/** People are reminded of a pause without an end this often. */
const REMIND_EVERY_MS = 24 * 3_600_000;

/**
 * A person keeps everything from rising: no attempt begins, no step is taken. What protects goes on: failing steps fall, openings open
 * (R14). `forMs` null: until somebody resumes.
 */
export function pauseRecovery(state: ServiceState, { who, why }: Author, now: number, forMs: number | null): StepResult | Refusal {
  if (!isRunning(state) || !state.recovery) return { refused: 'no-recovery', detail: 'no recovery runs', features: [] };
  if (activePause(state)) return { refused: 'already-paused', detail: 'the recovery is paused; resume it first', features: [] };
  const draft = new Draft(state, now);
  const pause: Pause = { fromMs: now, endedAtMs: null, expiresAtMs: forMs === null ? null : now + forMs, author: who, reason: why };
  const { recovery } = state;
  draft.patchService({ recovery: { ...recovery, pauses: [...recovery.pauses, pause], interventions: recovery.interventions + 1 } });
  draft.event('paused', { because: 'paused-by-person', numbers: { who, why, expiresInMs: forMs ?? 'never' } });
  withdrawAttempts(draft, now);
  return draft.finish();
}

/** An attempt under way is no attempt: its permits are taken back, and it begins anew after the pause. */
function withdrawAttempts(draft: Draft, now: number): void {
  for (const name of draft.names()) {
    const { recovery } = draft.record(name);
    if (recovery?.phase === 'probing') draft.patchRecovery(name, { phase: 'blocked', nextAttemptAtMs: now });
    else if (recovery?.phase === 'waiting') draft.patchRecovery(name, { phase: 'blocked' });
  }
}

/** Ends the pause. What is overdue begins with jitter. */
export function resumeRecovery(state: ServiceState, { who, why }: Author, now: number): StepResult | Refusal {
  if (!activePause(state)) return { refused: 'not-paused', detail: 'the recovery is not paused', features: [] };
  const draft = new Draft(state, now);
  endPause(draft, { because: 'resumed-by-person', numbers: { who, why } });
  if (draft.state.recovery) {
    const { recovery } = draft.state;
    draft.patchService({ recovery: { ...recovery, interventions: recovery.interventions + 1 } });
  }
  return draft.finish();
}

/** Ends a pause that has run out, and reminds of one that never does. */
export function expirePause(draft: Draft): void {
  const pause = activePause(draft.state);
  if (!pause) return;
  if (pause.expiresAtMs !== null && pause.expiresAtMs <= draft.nowMs) endPause(draft, { because: 'pause-expired' });
  else if (pause.expiresAtMs === null && draft.nowMs - (pause.remindedAtMs ?? pause.fromMs) >= REMIND_EVERY_MS) {
    replacePause(draft, { ...pause, remindedAtMs: draft.nowMs });
    const numbers = { author: pause.author, ageMs: draft.nowMs - pause.fromMs };
    draft.event('pause-reminder', { because: 'pause-without-end', numbers });
  }
}

/** Ends the pause that is on, if one is. */
export function endPause(draft: Draft, why: Reason): void {
  const pause = activePause(draft.state);
  if (!pause) return;
  replacePause(draft, { ...pause, endedAtMs: draft.nowMs });
  draft.event('resumed', { ...why, numbers: { ...why.numbers, pausedMs: draft.nowMs - pause.fromMs } });
}

function replacePause(draft: Draft, pause: Pause): void {
  const { recovery } = draft.state;
  if (recovery) draft.patchService({ recovery: { ...recovery, pauses: [...recovery.pauses.slice(0, -1), pause] } });
}
