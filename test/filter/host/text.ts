/** Header bytes as a string of one character per byte, so that any byte survives the way there and back. */
export function headerText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Bytes of a header string; see `headerText`. */
export function headerBytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Body as given in tests: text means UTF-8. */
export function bodyBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : body;
}

export function bodyText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}
