import { graphOf } from '../dependency-graph.ts';
import { isRecovering, isSteered } from '../feature.ts';
import type { Pause, Reason } from '../model.ts';
import type { RecoveryContext } from './context.ts';
import { dependencyHold, loadHold, waveHold } from './gates.ts';
import { fall, rise } from './moves.ts';
import { lowerWithDependants, open } from './opening.ts';
import { resumedRecovery } from './progress.ts';
import { promoted } from './promote.ts';
import { activePause, isRunning } from './running.ts';
import { worseThanLastStep } from './trend.ts';
import { testProbes, testStep, type Verdict } from './trial.ts';

/**
 * Brings the features of one service back: prioritised, in waves along the dependency graph, each by its pattern. It decides and writes
 * to the draft of one tick; it keeps nothing.
 */
export class PartialRecoveryManager {
  private readonly context: RecoveryContext;

  constructor(context: RecoveryContext) {
    this.context = context;
  }

  /** Takes features down together with what depends on them, and starts or joins the recovery (R4, R13). */
  openFeatures(opened: ReadonlyMap<string, Reason>): void {
    const { draft } = this.context;
    const lowering = [...opened].map(([name, why]) => [name, () => open(this.context, name, why)] as const);
    const pulled = lowerWithDependants(draft, new Map(lowering));
    this.startRecovery('fleet', { because: 'opened', numbers: { features: [...opened.keys()].sort().join(' ') } });
    for (const [name, why] of opened) draft.event('opened', why, name);
    for (const [name, why] of pulled) draft.event('pulled-back', why, name);
  }

  /**
   * Prioritises the lowered features, plans their sequence from the dependency graph, and starts to watch them; testing begins with the
   * next `advance`. A recovery that runs already takes them in.
   */
  startRecovery(startedBy: string, why: Reason): void {
    const { draft } = this.context;
    const plan = graphOf(draft.state.policy).waves(this.participants());
    const reason = { because: why.because, numbers: { ...why.numbers, plan: plan.map((wave) => wave.join(' ')).join(', ') } };
    const running = draft.state.recovery;
    draft.patchService({ released: false });
    if (running && isRunning(draft.state)) {
      draft.patchService({ recovery: { ...running, plan } });
      draft.event('recovery-joined', reason);
      return;
    }
    const { service, revision } = draft.state;
    const id = `${service}-r${revision + 1}`;
    draft.patchService({
      recovery: {
        ...{ id, service, startedAtMs: draft.nowMs, endedAtMs: null, startedBy, result: null, plan, timeline: [] },
        ...{ pauses: [], interventions: 0 },
      },
    });
    draft.event('recovery-started', reason);
  }

  /** Features that are lowered while nothing brings them back, after an override or a policy change, get a recovery. */
  takeIn(startedBy: string, why: Reason): void {
    const { draft } = this.context;
    const lowered = draft.names().filter((name) => isSteered(draft.state, name) && draft.record(name).state !== 'ENABLED');
    for (const name of lowered.filter((each) => !isRecovering(draft.record(each)))) {
      draft.patch(name, { recovery: resumedRecovery(draft.record(name), this.context.feature(name), draft.nowMs, why) });
    }
    const plan = draft.state.recovery?.plan.flat() ?? [];
    const isComplete = isRunning(draft.state) && lowered.every((name) => plan.includes(name));
    if (lowered.length > 0 && !isComplete) this.startRecovery(startedBy, why);
  }

  /** One tick: each feature moves at most once, dependencies before dependants. */
  advance(): void {
    const { draft } = this.context;
    const pause = activePause(draft.state);
    for (const name of graphOf(draft.state.policy).order()) {
      if (!isRecovering(draft.record(name)) || !isSteered(draft.state, name)) continue;
      if (pause) this.onlyProtect(name, pausedBecause(pause, draft.nowMs));
      else this.advanceFeature(name);
    }
  }

  /** Checks the dependencies, the performance and the stability of a feature under test, and decides: pass, fail or inconclusive. */
  testFeature(name: string): Verdict {
    const test = this.context.isProbing(name) ? testProbes : testStep;
    const recovery = this.context.recovery(name);
    const seen = test(this.context.sampleOf(name), this.context.feature(name), recovery, this.context.nowMs);
    const verdict = promoted(seen, recovery);
    const unfit = verdict.verdict === 'pass' ? dependencyHold(this.context, name) : null;
    return unfit ? { ...verdict, verdict: 'inconclusive', reason: unfit } : verdict;
  }

  /** Nothing rises, but what fails still falls. */
  private onlyProtect(name: string, why: Reason): void {
    const verdict = this.context.isProbing(name) ? null : this.testFeature(name);
    if (verdict?.verdict === 'fail') this.decide(name, verdict);
    else this.context.draft.hold(name, why);
  }

  private participants(): string[] {
    const { draft } = this.context;
    return draft.names().filter((name) => isRecovering(draft.record(name)) && isSteered(draft.state, name));
  }

  private advanceFeature(name: string): void {
    const recovery = this.context.recovery(name);
    switch (recovery.phase) {
      case 'blocked':
        this.unblock(name);
        break;
      case 'waiting':
        this.awaitAttempt(name);
        break;
      case 'probing':
        this.testAttempt(name);
        break;
      case 'ramping':
      case 'ceiling':
        this.decide(name, this.testFeature(name));
        break;
      default:
        this.onlyProtect(name, recovery.reason);
    }
  }

  private unblock(name: string): void {
    const { draft, surroundings, nowMs } = this.context;
    const { promotion, nextAttemptAtMs } = this.context.recovery(name);
    const reason = dependencyHold(this.context, name) ?? (promotion ? null : waveHold(this.context, name));
    if (reason) {
      draft.hold(name, reason);
      return;
    }
    // Many may be let go at once, by one dependency or one pause.
    const jitterMs = promotion ? 0 : Math.round(surroundings.random() * this.context.feature(name).recovery.backoff.baseMs);
    draft.patchRecovery(name, { phase: 'waiting', nextAttemptAtMs: nextAttemptAtMs > nowMs ? nextAttemptAtMs : nowMs + jitterMs });
    this.awaitAttempt(name);
  }

  private awaitAttempt(name: string): void {
    const { draft } = this.context;
    const recovery = this.context.recovery(name);
    const leftMs = recovery.promotion ? 0 : recovery.nextAttemptAtMs - draft.nowMs;
    if (this.blockedByDependency(name)) return;
    if (leftMs > 0) {
      draft.hold(name, { because: 'backoff', numbers: { leftMs, waitMs: recovery.waitMs, failedAttempts: recovery.attempt } });
      return;
    }
    const why = { because: 'probing', numbers: { attempt: recovery.attempt + 1, afterMs: recovery.waitMs } };
    draft.patchRecovery(name, { phase: 'probing', sampleFromMs: draft.nowMs, promotion: null, reason: why });
    draft.explain(name, { recovery: why });
    draft.event('probe-attempt', why, name);
  }

  private testAttempt(name: string): void {
    const verdict = this.testFeature(name);
    if (verdict.verdict !== 'fail' && this.blockedByDependency(name)) return;
    this.decide(name, verdict);
  }

  private blockedByDependency(name: string): boolean {
    const unfit = dependencyHold(this.context, name);
    if (!unfit) return false;
    this.context.draft.patchRecovery(name, { phase: 'blocked' });
    this.context.draft.hold(name, unfit);
    return true;
  }

  private decide(name: string, verdict: Verdict): void {
    if (verdict.suspects.length > 0) this.context.suspects.set(name, verdict.suspects);
    if (verdict.verdict === 'fail') fall(this.context, name, verdict);
    else if (verdict.verdict === 'pass') this.passOrHold(name, verdict);
    else this.keepTesting(name, verdict);
  }

  private passOrHold(name: string, verdict: Verdict): void {
    const hold = this.context.isProbing(name) ? loadHold(this.context, name) : this.stepHold(name, verdict);
    if (hold) this.context.draft.hold(name, hold);
    else rise(this.context, name, verdict);
  }

  /** A step that failed is tried again only after its wait (R11), and the ramp holds while it gets worse; a person may skip either. */
  private stepHold(name: string, verdict: Verdict): Reason | null {
    const { nextAttemptAtMs, promotion } = this.context.recovery(name);
    if (promotion) return null;
    const leftMs = nextAttemptAtMs - this.context.nowMs;
    if (leftMs > 0) return { because: 'step-wait', numbers: { ...verdict.reason.numbers, leftMs } };
    return this.worseHold(name, verdict);
  }

  private worseHold(name: string, verdict: Verdict): Reason | null {
    const { draft } = this.context;
    const figures = this.context.figuresOf(name, verdict);
    const worse = worseThanLastStep(figures, this.context.recovery(name).lastStep, this.context.feature(name).health.hysteresisPercent);
    if (worse) draft.patchRecovery(name, { lastStep: figures, sampleFromMs: draft.nowMs });
    return worse;
  }

  private keepTesting(name: string, verdict: Verdict): void {
    const { draft } = this.context;
    if (verdict.isVoid) {
      draft.patchRecovery(name, { sampleFromMs: draft.nowMs });
      draft.event('inconclusive', { ...verdict.reason, because: 'evidence-void' }, name);
    }
    draft.hold(name, verdict.reason);
  }
}

function pausedBecause({ author, expiresAtMs }: Pause, nowMs: number): Reason {
  return { because: 'paused', numbers: { author, leftMs: expiresAtMs === null ? 'never' : expiresAtMs - nowMs } };
}
