/** Queues by name: what is done under one name waits for what was begun before, and for nothing else. */
export class Turns {
  private readonly ends = new Map<string, Promise<unknown>>();

  run<T>(name: string, action: () => Promise<T>): Promise<T> {
    const turn = (this.ends.get(name) ?? Promise.resolve()).catch(() => undefined).then(action);
    this.ends.set(name, turn);
    const done = () => {
      if (this.ends.get(name) === turn) this.ends.delete(name);
    };
    turn.then(done, done);
    return turn;
  }
}
