import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadWire, type WireModule } from './wire-module.ts';

let wire: WireModule;
beforeAll(async () => {
  wire = await loadWire();
});

const bytes = (...values: number[]) => Uint8Array.from(values);
const quoted = (...values: number[]) => bytes(0x22, ...values, 0x22);

describe('is JSON', () => {
  test.for([
    ['an empty object', '{}'],
    ['white space of all four kinds', ' \t\r\n[ \t\r\n] \t\r\n'],
    ['every kind of value', '[null,true,false,0,"",{},[]]'],
    ['numbers of every form', '[-0,0.5,-1.25e+10,1E5,10e-3,123456789012345678901234567890]'],
    ['every escape', String.raw`"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"`],
    ['escaped pairs at their bounds', String.raw`"\ud800\udc00\uDBFF\uDFFF"`],
    ['a member name with an escape', String.raw`{"\u0061b":1}`],
    ['text of one to four bytes a character', '"aé€😀\u{10ffff}"'],
    ['delete and the noncharacters', '"\u007f\uffff"'],
    ['a bare string', '"x"'],
    ['sixteen levels', '[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]'],
  ] as const)('%s', ([, input]) => {
    expect(wire.jsonProblems(input)).toEqual([]);
    expect(wire.json('documentJson', input)).toEqual(withNumbersAsWritten(input));
  });
});

describe('is refused', () => {
  test.for([
    ['nothing', '', '', 'expected a value at byte 0'],
    ['white space only', ' ', '', 'expected a value at byte 1'],
    ['a second value', '{} {}', '', 'expected the end at byte 3'],
    ['a comma too many', '[1,]', '[1]', 'expected a value at byte 3'],
    ['a comma too few', '{"a":[1 2]}', 'a', 'expected , or ] at byte 8'],
    ['a member without a name', '{,}', '', 'expected a name at byte 1'],
    ['a member without a colon', '{"a" 1}', 'a', 'expected : at byte 5'],
    ['a member without a value', '{"a":{"b":}}', 'a.b', 'expected a value at byte 10'],
    ['an object without an end', '{"a":1', '', 'expected , or } at byte 6'],
    ['a string without an end', '{"a":"x', 'a', 'ill-formed string at byte 7'],
    ['a control character', '["\u0001"]', '[0]', 'ill-formed string at byte 2'],
    ['an escape that JSON does not have', '["\\x41"]', '[0]', 'ill-formed string at byte 4'],
    ['three hexadecimal digits', '["\\u041"]', '[0]', 'ill-formed string at byte 7'],
    ['a lone high surrogate', '["\\ud83d!"]', '[0]', 'ill-formed string at byte 8'],
    ['a lone low surrogate', '["\\ude00"]', '[0]', 'ill-formed string at byte 8'],
    ['two high surrogates', '["\\ud83d\\ud83d"]', '[0]', 'ill-formed string at byte 14'],
    ['a zero in front', '[01]', '', 'expected , or ] at byte 2'],
    ['a plus in front', '[+1]', '[0]', 'expected a value at byte 1'],
    ['a fraction without digits', '[1.]', '[0]', 'expected a value at byte 3'],
    ['an exponent without digits', '[1e+]', '[0]', 'expected a value at byte 4'],
    ['not a number', '[NaN]', '[0]', 'expected a value at byte 1'],
    ['half a word', '[tru]', '[0]', 'expected a value at byte 1'],
    ['a comment', '[/**/]', '[0]', 'expected a value at byte 1'],
    ['single quotes', "{'a':1}", '', 'expected a name at byte 1'],
    ['a byte order mark', '\ufeff{}', '', 'expected a value at byte 0'],
    [
      'seventeen levels',
      '{"a":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}',
      'a[0][0][0][0][0][0][0][0][0][0][0][0][0][0][0]',
      'nested too deep at byte 20',
    ],
    ['a name that is there twice', '{"a":1,"b":2,"a":3}', 'a', 'is there twice at byte 16'],
    ['a name that is there twice, once escaped', String.raw`{"ab":1,"\u0061b":2}`, 'ab', 'is there twice at byte 17'],
  ] as const)('%s', ([, input, path, reason]) => {
    expect(wire.jsonProblems(input)).toEqual([{ path, reason }]);
  });

  test('more bytes than the limit', () => {
    expect(wire.jsonProblems('[1,2,3]', 6)).toEqual([{ path: '', reason: 'must have at most 6 bytes, got 7' }]);
    expect(wire.jsonProblems('[1,2,3]', 7)).toEqual([]);
  });

  test('more members in one object than are searched for repeats', () => {
    const members = (count: number) => `{${Array.from({ length: count }, (_, index) => `"${index}":0`).join(',')}}`;
    expect(wire.jsonProblems(members(512))).toEqual([]);
    expect(wire.jsonProblems(members(513))).toEqual([{ path: '512', reason: 'too many members at byte 3992' }]);
  });

  test.for([
    ['a continuation byte alone', bytes(0x80)],
    ['a sequence that is cut off', bytes(0xe2, 0x82)],
    ['a sequence that another character interrupts', bytes(0xe2, 0x41, 0x82)],
    ['an overlong slash', bytes(0xc0, 0xaf)],
    ['an overlong sequence of three', bytes(0xe0, 0x9f, 0xbf)],
    ['an overlong sequence of four', bytes(0xf0, 0x8f, 0xbf, 0xbf)],
    ['a surrogate', bytes(0xed, 0xa0, 0x80)],
    ['more than U+10FFFF', bytes(0xf4, 0x90, 0x80, 0x80)],
    ['a byte that UTF-8 never has', bytes(0xff)],
  ] as const)('ill-formed UTF-8: %s', ([, content]) => {
    expect(wire.jsonProblems(quoted(...content))).toEqual([{ path: '', reason: 'ill-formed string at byte 1' }]);
    expect(wire.jsonProblems(quoted(0x5c, 0x6e, ...content))).toEqual([{ path: '', reason: 'ill-formed string at byte 3' }]);
  });
});

// Law: the parser accepts exactly what JSON.parse accepts, but for names that are there twice, lone surrogates, depth and size; and it
// understands the same.
describe('against JSON.parse', () => {
  const characters = [...'{}[]",:\\/ \t\n0123456789.eE+-truefalsn"u', '\u0000', 'é', '€', '😀', '\ud800', '\udc00'];
  const soup = fc.array(fc.constantFrom(...characters), { maxLength: 40 }).map((list) => list.join(''));
  const mutated = fc
    .tuple(fc.jsonValue({ maxDepth: 4 }), fc.array(fc.tuple(fc.nat(), fc.nat(2), fc.constantFrom(...characters)), { maxLength: 2 }))
    .map(([value, edits]) =>
      edits.reduce((text, [at, drop, put]) => splice(text, at % (text.length + 1), drop, put), JSON.stringify(value)),
    );
  const escaped = fc
    .string({ unit: fc.constantFrom('\\u', 'd83d', 'DE00', '0041', '\\n', '\\\\', '\\"', 'é', 'a', '"') })
    .map((text) => `["${text}"]`);

  test.for([
    ['mutated documents', mutated],
    ['soups of characters', soup],
    ['strings of escapes', escaped],
  ] as const)('%s', ([, inputs]) => {
    fc.assert(
      fc.property(inputs, (input) => {
        const isAccepted = wire.jsonProblems(input).length === 0;
        if (!isStrictlyMore(input)) expect(isAccepted).toBe(isJson(input));
        if (isAccepted) expect(wire.json('documentJson', input)).toEqual(withNumbersAsWritten(input));
      }),
      { numRuns: 1500 },
    );
  });

  const splice = (text: string, at: number, drop: number, put: string) => text.slice(0, at) + put + text.slice(at + drop);

  function isJson(input: string): boolean {
    try {
      JSON.parse(input);
      return true;
    } catch {
      return false;
    }
  }

  /** The parser may refuse what JSON.parse accepts: a name twice, a lone surrogate (which the encoder turns into U+FFFD), too deep. */
  function isStrictlyMore(input: string): boolean {
    if (!isJson(input)) return false;
    const refused = wire.jsonProblems(input);
    return refused.length > 0 && (hasRepeatedName(input) || hasLoneSurrogate(JSON.parse(input)) || /deep/.test(refused[0]?.reason ?? ''));
  }

  function hasLoneSurrogate(value: unknown): boolean {
    if (typeof value === 'string') return /\p{Surrogate}/u.test(value);
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(([name, member]) => /\p{Surrogate}/u.test(name) || hasLoneSurrogate(member));
  }

  function hasRepeatedName(input: string): boolean {
    let members = 0;
    JSON.parse(input, (_, value) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) members += Object.keys(value).length;
      return value;
    });
    return members < (input.match(/"\s*:/g) ?? []).length;
  }
});

/** The document with each number as the text that stood for it. */
function withNumbersAsWritten(input: string): unknown {
  const text = new TextDecoder().decode(new TextEncoder().encode(input));
  const strings = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) => (token.startsWith('"') ? token : JSON.stringify(token)));
  return JSON.parse(strings);
}

describe('the integer that a number is', () => {
  test.for([
    ['0', 0n],
    ['-0', 0n],
    ['7', 7n],
    ['-12', -12n],
    ['1.0', 1n],
    ['1200e-2', 12n],
    ['1.25e2', 125n],
    ['0.5e1', 5n],
    ['0e99999999999', 0n],
    ['1e15', 10n ** 15n],
    ['9007199254740991', 2n ** 53n - 1n],
    ['-9007199254740991', -(2n ** 53n) + 1n],
    ['900719925474099100000e-5', 2n ** 53n - 1n],
    ['2592000000', 2_592_000_000n],
  ] as const)('%s', ([text, value]) => expect(wire.integerValue(text)).toBe(value));

  const NONE = -(2n ** 63n);
  test.for([
    '0.5',
    '1e-1',
    '1.5',
    '9007199254740992',
    '-9007199254740992',
    '1e16',
    '1e99999999999',
    '1e-99999999999',
    '18446744073709551617',
  ])('%s is none', (text) => expect(wire.integerValue(text)).toBe(NONE));

  test('law: as Number.isSafeInteger has it', () => {
    const numbers = fc.oneof(
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.integer().map((n) => n / 100),
    );
    fc.assert(
      fc.property(numbers, (number) => {
        expect(wire.integerValue(JSON.stringify(number))).toBe(Number.isSafeInteger(number) ? BigInt(number) : NONE);
        expect(wire.integerValue(number.toExponential())).toBe(Number.isSafeInteger(number) ? BigInt(number) : NONE);
      }),
      { numRuns: 1000 },
    );
  });
});
