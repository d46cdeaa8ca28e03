import type { Context } from './context.ts';
import { DataAction, HeadersAction } from './enums.ts';
import type { PathCalls } from './path.ts';
import { ABSENT, FAILED, type Vm } from './vm.ts';

/** The module's callbacks for one stream. When the VM dies under it, none is called any more. */
export class StreamCallbacks {
  readonly #vm: Vm;
  readonly #context: Context;
  readonly #died: () => void;
  #dead = false;

  /** `died` is told once that the VM cannot go on with this stream. */
  constructor(vm: Vm, context: Context, died: () => void) {
    this.#vm = vm;
    this.#context = context;
    this.#died = died;
  }

  create(rootId: number): void {
    this.#vm.callback(this.#context, 'proxy_on_context_create', this.#context.id, rootId);
  }

  log(): void {
    if (!this.#dead) this.#vm.callback(this.#context, 'proxy_on_log', this.#context.id);
  }

  /** Done, then delete. */
  close(): void {
    if (this.#dead) return;
    this.#vm.callback(this.#context, 'proxy_on_done', this.#context.id);
    this.#vm.callback(this.#context, 'proxy_on_delete', this.#context.id);
  }

  path(direction: 'request' | 'response'): PathCalls {
    const flag = (end: boolean) => (end ? 1 : 0);
    return {
      headers: (count, end) => {
        const action = this.#call(`${direction}_headers`, HeadersAction.StopAllAndWatermark, count, flag(end));
        // Without `allow_on_headers_stop_iteration` the host makes this of it.
        return action === HeadersAction.StopIteration ? HeadersAction.StopAllAndWatermark : action;
      },
      body: (size, end) => this.#call(`${direction}_body`, DataAction.StopNoBuffer, size, flag(end)),
      trailers: (count) => this.#call(`${direction}_trailers`, HeadersAction.StopIteration, count),
    };
  }

  /** `stop` is the strongest answer: also what becomes of one that is not known, and of one beside a local reply. */
  #call(name: string, stop: number, ...args: number[]): number {
    // The 503 of a dead VM passes the response callbacks by.
    if (this.#dead) return name.startsWith('response') ? HeadersAction.Continue : stop;
    const result = this.#vm.callback(this.#context, `proxy_on_${name}`, this.#context.id, ...args);
    if (result === FAILED) {
      this.#dead = true;
      this.#died();
      return stop;
    }
    if (this.#vm.stopped || result > stop) return stop;
    return result === ABSENT ? HeadersAction.Continue : result;
  }
}
