import type { Dice } from './dice.ts';
import type { JsonText } from './json-text.ts';

/** Values that some member somewhere does not take, and some that many do. */
const STRANGERS = [
  'null',
  'true',
  'false',
  '""',
  '" "',
  '"x"',
  '"X y"',
  '"\\u00e9"',
  '"\\ud800"',
  '"\\u0000"',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"a":1}',
  '-1',
  '0',
  '-0',
  '0.5',
  '1',
  '1.0',
  '1e2',
  '1e300',
  '1e-300',
  '9007199254740991',
  '9007199254740993',
  '99999999999999999999',
  '-9223372036854775808',
  '"/{a}/{a}"',
  '"*."',
  '"*.*"',
  '"/"',
  '"//"',
  '"{}"',
  '{"":""}',
  `"${'a'.repeat(64)}"`,
  `"${'a'.repeat(1025)}"`,
  `"${'/'.repeat(1024)}"`,
  `[${'1,'.repeat(600)}1]`,
  `${'['.repeat(40)}${']'.repeat(40)}`,
  `{${'"a":{'.repeat(30)}${'}'.repeat(31)}`,
];

/** Pieces that scanners stumble over. */
const JUNK = [
  '',
  '{',
  '}',
  '"',
  '[[[[[[[[[[[[[[[[[[[[',
  '1e999',
  '-',
  '\\u',
  '\\ud800',
  'null',
  '\0',
  '"service":"x",',
  '99999999999999999999',
  ',',
  ':',
  '\xff',
  '\xc3',
  '\xef\xbb\xbf',
  ' '.repeat(300),
];

/** A document with a few of its values replaced, moved, doubled or left out; still JSON. */
export function rewritten(document: JsonText, values: ReadonlyMap<string, readonly string[]>, dice: Dice): string {
  const place = dice.pick(document.places);
  const value = document.text.slice(place.start, place.end);
  const known = values.get(place.name);
  const fate = dice.below(100);
  if (fate < 45 && known !== undefined) return document.replaced(place, dice.pick(known));
  if (fate < 60) return document.replaced(place, dice.pick(STRANGERS));
  if (fate < 72) return document.replaced(place, /^-?\d/.test(value) ? neighbour(value, dice) : `"${dice.word(20)}"`);
  if (fate < 84) return document.without(place);
  if (fate < 94) return document.beside(place, document.text.slice(place.from, place.end));
  return document.beside(place, place.from === place.start ? dice.pick(STRANGERS) : `"${dice.word(6)}":${dice.pick(STRANGERS)}`);
}

function neighbour(value: string, dice: Dice): string {
  const number = Number(value);
  return String(dice.pick([number + 1, number - 1, number * 10, -number, number / 2, Math.trunc(number / 2), dice.number()]));
}

/** A byte changed, a piece cut out, doubled or moved, or junk put in; once or a few times. */
export function spoilt(text: string, dice: Dice): string {
  let result = text;
  for (let times = 1 + dice.few(3); times > 0; times--) {
    const at = dice.below(result.length + 1);
    const to = Math.min(result.length, at + dice.few(40));
    const fate = dice.below(6);
    if (fate === 0) result = result.slice(0, at) + String.fromCharCode(dice.below(256)) + result.slice(at + 1);
    else if (fate === 1) result = result.slice(0, at) + result.slice(to);
    else if (fate === 2) result = result.slice(0, to) + result.slice(at);
    else if (fate === 3) result = result.slice(0, at);
    else if (fate === 4) result = result.slice(0, at) + dice.noise(8) + result.slice(to);
    else result = result.slice(0, at) + dice.pick(JUNK) + result.slice(to);
  }
  return result;
}

/** As it is, rewritten, spoilt, or noise. */
export function mutated(document: JsonText, values: ReadonlyMap<string, readonly string[]>, dice: Dice): string {
  const fate = dice.below(100);
  if (fate < 15) return document.text;
  if (fate < 75) return rewritten(document, values, dice);
  return fate < 97 ? spoilt(document.text, dice) : dice.noise(60);
}
