/** JSON as nobody should write it: texts of messages with parts exchanged, put in, cut off and nested. */
import { deflateSync } from 'node:zlib';
import fc from 'fast-check';

/** In the place of a name, a text, a number or a literal. */
const NASTY = [
  ...['null', 'true', '0', '-0', '-1', '1.5', '1e999', '-1e999', '1e-999', '9007199254740993', '253402300800000', '1'.repeat(400)],
  ...['NaN', 'Infinity', '01', '+1', '.5', '1.', '0x10', 'undefined', "'s'", ''],
  ...['""', '" "', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\n\\t,= \\\\"', '"🏪"', '"__proto__"', '"constructor"', '"toString"'],
  ...['"Asia/Shanghai"', '"aSIA/sHANGHAI"', '"+14:00"', '"25:00-26:00"', '"00:00-24:00"', '"10:00-10:00,"', `"${'x'.repeat(65)}"`],
  ...['{}', '[]', '[null]', '{"length":-1}', '[[[]]]', '{"__proto__":null}', '{"then":1}', '{"toJSON":1,"valueOf":{}}'],
];
const MEMBERS = [
  '"__proto__":{"v":2,"at":1,"samples":[]},',
  '"constructor":{"prototype":{"at":1}},',
  '"hasOwnProperty":1,"toString":null,',
  '"at":0,',
  '"v":1,"v":2,',
  '"session":"twice",',
  '"samples":[],"at":[1],"cols":{},',
  '"":"","\\u0000":0,',
];
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/g;

export type Change<T> = (before: T) => T;

const place = fc.nat(100_000);
const nested = fc
  .tuple(fc.constantFrom(['[', ']'], ['{"a":', '}']), fc.constantFrom(1, 30, 2_000))
  .map(([[open, close], depth]) => `${open!.repeat(depth)}1${close!.repeat(depth)}`);

const exchanged = fc.tuple(place, fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...NASTY) }, nested)).map(
  ([at, nasty]): Change<string> =>
    (text) => {
      const tokens = [...text.matchAll(TOKEN)];
      const token = tokens[at % Math.max(1, tokens.length)];
      return token ? text.slice(0, token.index) + nasty + text.slice(token.index + token[0].length) : nasty;
    },
);
const putIn = fc.tuple(place, fc.constantFrom(...MEMBERS)).map(
  ([at, member]): Change<string> =>
    (text) => {
      const opens = [...text.matchAll(/\{(?!\})/g)];
      const after = (opens[at % Math.max(1, opens.length)]?.index ?? -1) + 1;
      return text.slice(0, after) + member + text.slice(after);
    },
);
const wrapped = fc.constantFrom<Change<string>>(
  (text) => `[${text}]`,
  (text) => `${text}${text}`,
  (text) => `\ufeff${text}`,
  (text) => ` \n${text}\t `,
  (text) => JSON.stringify(text),
);

const changes = fc.array(
  fc.oneof({ weight: 6, arbitrary: exchanged }, { weight: 2, arbitrary: putIn }, { weight: 1, arbitrary: wrapped }),
  {
    maxLength: 3,
  },
);

/** One byte flipped, cut out, put in, or all behind it cut off. */
export const damage: fc.Arbitrary<Change<Buffer>> = fc
  .tuple(fc.constantFrom('flip', 'cut', 'put', 'end'), place, fc.oneof(fc.nat(255), fc.constantFrom(0, 0x7f, 0x80, 0xc0, 0xed, 0xff)))
  .map(([how, where, byte]) => (bytes) => {
    const at = where % (bytes.length + 1);
    if (how === 'end') return bytes.subarray(0, at);
    const rest = bytes.subarray(how === 'put' ? at : at + 1);
    return Buffer.concat([bytes.subarray(0, at), how === 'cut' ? Buffer.alloc(0) : Buffer.of(byte), rest]);
  });

const packed = fc.constantFrom<Change<Buffer>>(
  (bytes) => bytes,
  (bytes) => bytes,
  (bytes) => deflateSync(bytes, { level: 1 }),
  (bytes) => deflateSync(bytes, { level: 0 }),
);

const noDamage = fc.constant<Change<Buffer>[]>([]);

/** A text becomes bytes: changed as a text, deflated or not, and in one of four changed as bytes. */
export const onTheWire: fc.Arbitrary<(text: string) => Buffer> = fc
  .tuple(
    changes,
    packed,
    fc.oneof({ weight: 3, arbitrary: noDamage }, { weight: 1, arbitrary: fc.array(damage, { minLength: 1, maxLength: 2 }) }),
  )
  .map(
    ([changed, pack, damaged]) =>
      (text) =>
        applied(damaged, pack(Buffer.from(applied(changed, text)))),
  );

export function applied<T>(all: readonly Change<T>[], before: T): T {
  return all.reduce((now, change) => change(now), before);
}
