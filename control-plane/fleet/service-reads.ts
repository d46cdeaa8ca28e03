/** A shared store answers this many reads of the largest states within its time limit. */
const AT_ONCE = 20;

/** Reads services from the store, a few at a time, with what `read` does for each. Rejects with the first that fails. */
export async function readEach(names: readonly string[], read: (name: string) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < names.length; from += AT_ONCE) await Promise.all(names.slice(from, from + AT_ONCE).map(read));
}
