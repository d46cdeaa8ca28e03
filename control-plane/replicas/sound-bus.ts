import type { Logger } from 'pino';
import type { Bus } from '../store/store.ts';

/** The bus, where a message that is not what it should be ends in the log, and not the process. */
export function soundBus(bus: Bus, log: Logger): Bus {
  return {
    publish: (channel, message) => bus.publish(channel, message),
    subscribe: (channel, receive) =>
      bus.subscribe(channel, (message) => {
        try {
          receive(message);
        } catch (error) {
          log.warn({ err: error, channel }, 'a message of another replica could not be used');
        }
      }),
  };
}
