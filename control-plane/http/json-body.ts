import type { FastifyRequest } from 'fastify';
import { LIMITS } from '../contract/limits.ts';
import { BodyMalformed } from '../errors.ts';
import type { App } from './route.ts';

/** Open objects and arrays, as in YAML: a text of 100,000 brackets ends whatever recurses. */
const MAX_OPEN = 4 * LIMITS.jsonDepth;

/**
 * Reads JSON, and refuses a key that is there twice, of which the language would silently keep the last. What filters send is written by
 * our own code, thousands of times a second, and goes without that look.
 */
export function readJsonBodies(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request: FastifyRequest, text: string, done) => {
    const isFilters = request.routeOptions.config.scopes?.includes('filter') ?? false;
    void parse(request, text, (error, value) => {
      const flaw = error || isFilters ? null : flawOf(text);
      if (flaw !== null) done(new BodyMalformed(flaw));
      else done(error, value);
    });
  });
}

/** What is wrong with a sound JSON text: it is too deep, or an object has a key twice. */
export function flawOf(text: string): string | null {
  /** Keys of the open objects; null for an open array. */
  const open: (Set<string> | null)[] = [];
  let isKey = false;
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '{':
      case '[':
        open.push(text[at] === '{' ? new Set() : null);
        isKey = text[at] === '{';
        if (open.length > MAX_OPEN) return `it is nested deeper than ${LIMITS.jsonDepth} levels`;
        break;
      case '}':
      case ']':
        open.pop();
        isKey = false;
        break;
      case ',':
        isKey = Boolean(open.at(-1));
        break;
      case ':':
        isKey = false;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (isKey) {
          const key = JSON.parse(text.slice(at, end + 1)) as string;
          const keys = open.at(-1);
          if (keys?.has(key)) return `the key ${JSON.stringify(key.slice(0, 100))} is there twice in one object`;
          keys?.add(key);
        }
        at = end;
        break;
      }
    }
  }
  return null;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
