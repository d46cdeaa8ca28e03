declare module 'http-cache-semantics' {
  interface Message {
    readonly headers: Readonly<Record<string, string>>;
  }
  /** The part that the tests use; the package ships no types. Times are in seconds. */
  export default class CachePolicy {
    constructor(request: Message & { readonly method: string }, response: Message & { readonly status: number });
    storable(): boolean;
    maxAge(): number;
    age(): number;
    stale(): boolean;
    revalidatedPolicy(request: Message, response: Message & { readonly status: number }): { readonly modified: boolean };
    protected now(): number;
  }
}
