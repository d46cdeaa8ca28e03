import type { Permit, Report } from '../contract/report.ts';
import type { ServiceState } from './model.ts';
/** One ledger for all services of a process; call grant() after EvidenceBook.record(), for duplicates too (same reply). */
export class ProbePermits {
  grant(_state: ServiceState, _report: Report, _nowMs: number, _suspects?: Readonly<Record<string, readonly string[]>>): Permit[] {
    throw new Error('coming');
  }
  inFlight(_group: string, _nowMs: number): number {
    throw new Error('coming');
  }
}
