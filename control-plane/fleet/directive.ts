import { createHash } from 'node:crypto';
import type { Directive } from '../contract/directive.ts';
import type { Policy } from '../contract/policy.ts';
import { contentOf, flagsOf } from '../domain/flags.ts';
import type { ServiceState } from '../domain/model.ts';
import { isTombstone, type Stored } from '../store/store.ts';

/** The name of a directive: any difference makes a filter take the new one (R5). */
export interface DirectiveName {
  readonly lineage: string;
  readonly revision: number;
  readonly hash: string;
}

/** A person's flag may end this much late at a proxy. */
const DURATIONS_HOLD_MS = 50;

interface Rendered {
  readonly untilMs: number;
  readonly short: Buffer;
  /** With the policy; made when the first one asks for it. */
  full: Buffer | null;
}

/** The directive of one stored state, written once for all that ask for it. */
export class RenderedDirective {
  readonly name: DirectiveName;
  readonly policyRevision: number;
  private readonly stored: Stored;
  private bytes: Rendered | null = null;

  constructor(lineage: string, stored: Stored) {
    this.stored = stored;
    this.name = { lineage, revision: stored.revision, hash: isTombstone(stored) ? 'deleted' : contentHash(stored) };
    this.policyRevision = isTombstone(stored) ? stored.revision : stored.policyRevision;
  }

  /**
   * The JSON for one caller; the policy is left out for those that have it. Durations are those of `nowMs`, or of a moment before; a text
   * without durations holds for ever. So those who are answered together share one text.
   */
  json(nowMs: number, knowsPolicy: boolean): Buffer {
    if (!this.bytes || nowMs >= this.bytes.untilMs) this.bytes = this.render(nowMs);
    return knowsPolicy ? this.bytes.short : this.full(this.bytes);
  }

  private render(nowMs: number): Rendered {
    const { stored, name, policyRevision } = this;
    const head = { service: stored.service, ...name, policyRevision };
    if (isTombstone(stored)) {
      const text = Buffer.from(JSON.stringify({ ...head, proxies: 0, flags: [], deleted: true } satisfies Directive));
      return { untilMs: Number.POSITIVE_INFINITY, short: text, full: text };
    }
    const flags = flagsOf(stored, nowMs);
    const short = Buffer.from(JSON.stringify({ ...head, proxies: proxiesTold(stored.nodes.length), flags } satisfies Directive));
    const runsDown = flags.some(({ expiresInMs }) => expiresInMs !== undefined);
    return { untilMs: runsDown ? nowMs + DURATIONS_HOLD_MS : Number.POSITIVE_INFINITY, short, full: null };
  }

  private full(rendered: Rendered): Buffer {
    if (!rendered.full && !isTombstone(this.stored)) {
      const policy = Buffer.from(`,"policy":${policyText(this.stored.policy).json}}`);
      rendered.full = Buffer.concat([rendered.short.subarray(0, -1), policy]);
    }
    return rendered.full ?? rendered.short;
  }
}

/**
 * The number of proxies as directives tell it: exact for a few, else rounded up within a quarter, so that each proxy that comes or goes
 * is not news for all the others (R8 needs the order of magnitude).
 */
export function proxiesTold(count: number): number {
  if (count <= 8) return count;
  const grain = 2 ** (Math.floor(Math.log2(count)) - 2);
  return Math.ceil(count / grain) * grain;
}

function contentHash(state: ServiceState): string {
  const content = { ...contentOf(state), policy: policyText(state.policy).hash, proxies: proxiesTold(state.nodes.length) };
  return digest(JSON.stringify(content));
}

const texts = new WeakMap<Policy, { readonly json: string; readonly hash: string }>();

/** A policy as text and its hash; policies never change in place, so both are made once. */
export function policyText(policy: Policy): { readonly json: string; readonly hash: string } {
  let text = texts.get(policy);
  if (!text) {
    const json = JSON.stringify(policy);
    text = { json, hash: digest(json) };
    texts.set(policy, text);
  }
  return text;
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
