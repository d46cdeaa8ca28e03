/**
 * When memory is given back. The runtime has no write barriers and no shadow stack, which keeps the module small and the happy path
 * fast; in return a collection may only run when no callback's references are on the stack: at the end of a callback.
 */

/** A tick collects beyond this many bytes that were noted as short-lived. */
const TICK_BYTES: u32 = 256 * 1024;
/** So does the end of any request, when degraded replies come faster than ticks. */
const BUSY_BYTES: u32 = 8 * 1024 * 1024;
/** Small garbage that nobody noted is collected once in so many ticks. */
const QUIET_TICKS: i32 = 100;

let noted: u32 = 0;
let ticks: i32 = 0;

/** Says that short-lived memory was allocated. */
export function noteGarbage(bytes: i32): void {
  noted += <u32>bytes;
}

/** End of a tick. */
export function collectOnTick(): void {
  if (noted < TICK_BYTES && ++ticks < QUIET_TICKS) return;
  collect();
}

/** End of a request or of a call-out. */
export function collectWhenBusy(): void {
  if (noted >= BUSY_BYTES) collect();
}

function collect(): void {
  noted = 0;
  ticks = 0;
  __collect();
}
