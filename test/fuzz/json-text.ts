/** A value in a JSON text, and the member or item that it belongs to. */
export interface Place {
  /** Name of the member; empty for items and the root. */
  readonly name: string;
  /** The value: text[start, end). */
  readonly start: number;
  readonly end: number;
  /** Where its member starts, with the name; same as `start` for items. */
  readonly from: number;
}

/** A well-formed JSON document as text, with the places of its values: mutating text costs a fraction of mutating objects. */
export class JsonText {
  readonly text: string;
  readonly places: readonly Place[];

  constructor(text: string) {
    this.text = text;
    this.places = placesOf(text);
  }

  replaced({ start, end }: Place, by: string): string {
    return this.text.slice(0, start) + by + this.text.slice(end);
  }

  /** Without the member or item, and one comma beside it. */
  without({ from, end }: Place): string {
    const before = this.text.slice(0, from);
    const after = this.text.slice(end);
    return after.startsWith(',') ? before + after.slice(1) : before.replace(/,$/, '') + after;
  }

  /** The member or item twice, or beside something else. */
  beside({ end }: Place, more: string): string {
    return `${this.text.slice(0, end)},${more}${this.text.slice(end)}`;
  }
}

function placesOf(text: string): Place[] {
  const places: Place[] = [];
  let at = 0;
  const string = (): string => {
    const start = ++at;
    while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
    return text.slice(start, at++);
  };
  const value = (name: string, from: number): void => {
    const start = at;
    const mine = places.push({ name, start, end: start, from }) - 1;
    const opening = text[at];
    if (opening === '"') string();
    else if (opening === '{' || opening === '[') {
      at++;
      while (text[at] !== '}' && text[at] !== ']') {
        const begin = at;
        let member = '';
        if (opening === '{') {
          member = string();
          at++;
        }
        value(member, begin);
        if (text[at] === ',') at++;
      }
      at++;
    } else while (at < text.length && !',}]'.includes(text[at]!)) at++;
    places[mine] = { name, start, end: at, from };
  };
  value('', 0);
  return places;
}
