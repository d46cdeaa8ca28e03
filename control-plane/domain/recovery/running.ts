import type { Pause, Recovery, ServiceState } from '../model.ts';

export function isRunning({ recovery }: Pick<ServiceState, 'recovery'>): boolean {
  return recovery !== null && recovery.endedAtMs === null;
}

/** The pause that is on, or null. */
export function activePause({ recovery }: Pick<ServiceState, 'recovery'>): Pause | null {
  const last = recovery?.endedAtMs === null ? recovery.pauses.at(-1) : undefined;
  return last?.endedAtMs === null ? last : null;
}

/** How long people held a recovery up, so that its own duration can be told apart from theirs. */
export function pausedMs({ pauses, endedAtMs }: Pick<Recovery, 'pauses' | 'endedAtMs'>, nowMs: number): number {
  return pauses.reduce((total, pause) => total + (pause.endedAtMs ?? endedAtMs ?? nowMs) - pause.fromMs, 0);
}
