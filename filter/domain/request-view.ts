/**
 * The parts of a request that decide to which feature it belongs, as byte ranges of one buffer, so that matching allocates nothing.
 * The owner refills it for each request; nothing keeps a reference to the bytes.
 */
export class RequestView {
  /** Buffer that all ranges below lie in. */
  bytes: StaticArray<u8> = new StaticArray<u8>(0);
  /** `:path` as the client sent it, with query. */
  pathStart: i32 = 0;
  pathEnd: i32 = 0;
  /** `:authority`; empty when no rule asked for it. */
  hostStart: i32 = 0;
  hostEnd: i32 = 0;
  /** `:method`; empty when no rule asked for it. */
  methodStart: i32 = 0;
  methodEnd: i32 = 0;
}
