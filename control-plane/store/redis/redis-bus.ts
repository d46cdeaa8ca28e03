import type { Bus } from '../store.ts';
import type { Connection } from './connection.ts';

/** A subscription that is silent for want of messages is not known to live: it is asked. */
const ASK_EVERY_MS = 1000;

type Receive = (message: string) => void;

/** The bus by Redis's PUBLISH and SUBSCRIBE, which know nothing of databases: the prefix keeps fleets apart. */
export class RedisBus implements Bus {
  private readonly commands: Connection;
  private readonly messages: Connection;
  private readonly prefix: string;
  private readonly receivers = new Map<string, Set<Receive>>();
  private readonly asking: NodeJS.Timeout;

  constructor(commands: Connection, messages: Connection, prefix: string) {
    this.commands = commands;
    this.messages = messages;
    this.prefix = prefix;
    messages.redis.on('message', (channel: string, message: string) => this.deliver(channel, message));
    messages.redis.on('ready', () => this.resubscribe());
    this.asking = setInterval(() => void messages.redis.ping().catch(() => undefined), ASK_EVERY_MS).unref();
  }

  publish(channel: string, message: string): void {
    this.commands.redis.publish(this.prefix + channel, message).catch(() => undefined);
  }

  subscribe(channel: string, receive: Receive): () => void {
    const name = this.prefix + channel;
    const receivers = this.receivers.get(name) ?? new Set();
    receivers.add(receive);
    this.receivers.set(name, receivers);
    this.resubscribe();
    return () => void receivers.delete(receive);
  }

  close(): void {
    clearInterval(this.asking);
    this.messages.close();
  }

  private deliver(channel: string, message: string): void {
    for (const receive of this.receivers.get(channel) ?? []) receive(message);
  }

  /** Asks for all channels again: what is asked for already does no harm, and nothing is forgotten over reconnects. */
  private resubscribe(): void {
    const channels = [...this.receivers.keys()];
    if (channels.length > 0) this.messages.redis.subscribe(...channels).catch(() => undefined);
  }
}
