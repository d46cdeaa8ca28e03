/** What a module declares: the JavaScript API shows names but no types, and Envoy checks both. */
export interface ModuleShape {
  readonly imports: readonly { readonly module: string; readonly name: string; readonly kind: Kind; readonly signature: string }[];
  readonly exports: readonly { readonly name: string; readonly kind: Kind; readonly signature: string }[];
}

export type Kind = 'function' | 'table' | 'memory' | 'global' | 'tag';

const KINDS: readonly Kind[] = ['function', 'table', 'memory', 'global', 'tag'];
const TYPE_SECTION = 1;
const IMPORT_SECTION = 2;
const FUNCTION_SECTION = 3;
const EXPORT_SECTION = 7;
const LETTERS: Readonly<Record<number, string>> = { 127: 'i', 126: 'I', 125: 'f', 124: 'F' };

class Reader {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  byte(): number {
    const value = this.bytes[this.at++];
    if (value === undefined) throw new Error('module ends early');
    return value;
  }

  /** LEB128, unsigned. */
  u32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }

  name(): string {
    const length = this.u32();
    const text = Buffer.from(this.bytes.subarray(this.at, this.at + length)).toString('utf8');
    this.at += length;
    return text;
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.u32() }, item);
  }

  limits(): void {
    const flags = this.byte();
    this.u32();
    if ((flags & 1) === 1) this.u32();
  }
}

function functionType(reader: Reader): string {
  reader.byte();
  const letters = () => reader.list(() => LETTERS[reader.byte()] ?? '?').join('');
  return `${letters()}:${letters()}`;
}

function importedSignature(reader: Reader, kind: Kind, types: readonly string[]): string {
  if (kind === 'function') return types[reader.u32()] ?? '?';
  if (kind === 'table') reader.byte();
  if (kind === 'global') reader.at += 2;
  else reader.limits();
  return '';
}

/** Reads the imports and exports of a module with their types. */
export function readShape(bytes: Uint8Array): ModuleShape {
  let types: string[] = [];
  let imports: ModuleShape['imports'] = [];
  let functions: string[] = [];
  let exports: ModuleShape['exports'] = [];
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const section = reader.byte();
    const end = reader.u32() + reader.at;
    if (section === TYPE_SECTION) types = reader.list(() => functionType(reader));
    if (section === IMPORT_SECTION) {
      imports = reader.list(() => {
        const module = reader.name();
        const name = reader.name();
        const kind = KINDS[reader.byte()]!;
        return { module, name, kind, signature: importedSignature(reader, kind, types) };
      });
      functions = imports.filter((found) => found.kind === 'function').map((found) => found.signature);
    }
    if (section === FUNCTION_SECTION) functions = [...functions, ...reader.list(() => types[reader.u32()] ?? '?')];
    if (section === EXPORT_SECTION) {
      exports = reader.list(() => {
        const name = reader.name();
        const kind = KINDS[reader.byte()]!;
        const index = reader.u32();
        return { name, kind, signature: kind === 'function' ? (functions[index] ?? '?') : '' };
      });
    }
    reader.at = end;
  }
  return { imports, exports };
}
