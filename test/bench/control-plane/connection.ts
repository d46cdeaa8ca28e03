import { connect, type Socket } from 'node:net';

export interface Answer {
  readonly status: number;
  readonly retryAfterSeconds: number | null;
  /** The first bytes of the body, as many as name a directive. */
  readonly start: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');
const START_BYTES = 400;

/** One keep-alive connection with one request at a time, as cheap as can be: the client must not be what is measured. */
export class Connection {
  private readonly port: number;
  private socket: Socket | null = null;
  private pending: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | null = null;
  private head: Buffer[] = [];
  private answer: Answer | null = null;
  private bodyLeft = 0;
  private start = '';

  constructor(port: number) {
    this.port = port;
  }

  get isOpen(): boolean {
    return this.socket !== null;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.port, host: '127.0.0.1', noDelay: true });
      this.head = [];
      this.answer = null;
      socket.once('connect', () => {
        this.socket = socket;
        resolve();
      });
      socket.on('data', (chunk) => this.take(chunk));
      socket.on('error', reject);
      socket.on('close', () => {
        if (this.socket === socket) this.socket = null;
        reject(new Error('closed'));
        this.settle((pending) => pending.reject(new Error('closed')));
      });
    });
  }

  send(method: string, path: string, body = ''): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (!this.socket) return reject(new Error('not connected'));
      this.pending = { resolve, reject };
      const type = body === '' ? '' : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
      this.socket.write(`${method} ${path} HTTP/1.1\r\nhost: bench\r\n${type}\r\n${body}`);
    });
  }

  /** As a network does it: no goodbye, and no port that stays taken. */
  reset(): void {
    this.socket?.resetAndDestroy();
    this.socket = null;
    this.settle((pending) => pending.reject(new Error('reset')));
  }

  private take(chunk: Buffer): void {
    if (this.answer) this.takeBody(chunk);
    else this.takeHead(chunk);
  }

  private takeHead(chunk: Buffer): void {
    const all = this.head.length === 0 ? chunk : Buffer.concat([...this.head, chunk]);
    const end = all.indexOf(HEAD_END);
    if (end < 0) {
      this.head = [all];
      return;
    }
    this.head = [];
    const text = all.toString('latin1', 0, end);
    const status = Number(text.slice(9, 12));
    const retryAfter = /\r\nretry-after: (\d+)/i.exec(text);
    this.bodyLeft = status === 304 ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    this.start = '';
    this.answer = { status, retryAfterSeconds: retryAfter ? Number(retryAfter[1]) : null, start: '' };
    this.takeBody(all.subarray(end + HEAD_END.length));
  }

  private takeBody(chunk: Buffer): void {
    if (this.start.length < START_BYTES) this.start += chunk.toString('latin1', 0, START_BYTES - this.start.length);
    this.bodyLeft -= chunk.length;
    if (this.bodyLeft > 0) return;
    const answer = { ...this.answer!, start: this.start };
    this.answer = null;
    this.settle((pending) => pending.resolve(answer));
  }

  private settle(how: (pending: NonNullable<Connection['pending']>) => void): void {
    const { pending } = this;
    this.pending = null;
    if (pending) how(pending);
  }
}
