import type { Bus } from '../store/store.ts';

/**
 * Grows when a message changes in a way that other code would misread. While a fleet is upgraded, replicas of unlike formats do not hear each
 * other, which the loss of a message covers.
 */
const FORMAT = 1;

interface Envelope<T> {
  readonly format: number;
  readonly from: string;
  readonly body: T;
}

/** One kind of message between the replicas of a fleet. What is not of our format is left alone. */
export class Channel<T> {
  private readonly bus: Bus;
  private readonly name: string;
  private readonly self: string;

  constructor(bus: Bus, name: string, self: string) {
    this.bus = bus;
    this.name = name;
    this.self = self;
  }

  /** To all other replicas. */
  tell(body: T): void {
    this.tellText(JSON.stringify(body));
  }

  /** `body` as JSON already. */
  tellText(body: string): void {
    this.bus.publish(this.name, `{"format":${FORMAT},"from":${JSON.stringify(this.self)},"body":${body}}`);
  }

  /** Calls `receive` with what others tell; gives the function that ends it. */
  hear(receive: (body: T, from: string) => void): () => void {
    return this.bus.subscribe(this.name, (message) => {
      const envelope = parsed<T>(message);
      if (envelope && envelope.from !== this.self) receive(envelope.body, envelope.from);
    });
  }
}

function parsed<T>(message: string): Envelope<T> | null {
  try {
    const envelope = JSON.parse(message) as Envelope<T>;
    return envelope?.format === FORMAT ? envelope : null;
  } catch {
    return null;
  }
}
