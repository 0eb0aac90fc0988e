import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Draft } from '../../../collector/store/draft.ts';
import { pointOfLine } from '../../../collector/store/line-reader.ts';
import { Lines } from '../../../collector/store/lines.ts';
import type { Point } from '../../../collector/store/point.ts';

const point: Point = { measurement: 'm', tags: {}, fields: { n: 1 }, at: 1_763_798_400_000 };
function line(change: Partial<Point>): string {
  const lines = new Lines();
  expect(lines.add(new Draft().of({ ...point, ...change }))).toBeNull();
  return lines.text(0);
}

it.each<[string, Partial<Point>, string]>([
  ['whole numbers as floats, never integers', { fields: { n: 41, m: -0.5 } }, 'm n=41,m=-0.5 1763798400000000000'],
  ['large and small numbers with exponents', { fields: { a: 1e21, b: 5e-324 } }, 'm a=1e+21,b=5e-324 1763798400000000000'],
  ['booleans as words', { fields: { a: true, b: false } }, 'm a=true,b=false 1763798400000000000'],
  ['texts in quotes, with theirs escaped', { fields: { s: 'a "b" \\' } }, 'm s="a \\"b\\" \\\\" 1763798400000000000'],
  ['line ends inside a text', { fields: { s: 'a\nb' } }, 'm s="a\nb" 1763798400000000000'],
  ['separators in tags escaped', { tags: { 'a b': 'c,d=e f' } }, 'm,a\\ b=c\\,d\\=e\\ f n=1 1763798400000000000'],
  ['separators in field names escaped', { fields: { 'a=b,c d': 1 } }, 'm a\\=b\\,c\\ d=1 1763798400000000000'],
  ['a measurement with its = as it is', { measurement: 'a=b,c d' }, 'a=b\\,c\\ d n=1 1763798400000000000'],
  ['a backslash within a tag as it is', { tags: { a: 'b\\c\\\\d' } }, 'm,a=b\\c\\\\d n=1 1763798400000000000'],
  ['a backslash at the end of a tag replaced', { tags: { a: 'b\\\\' } }, 'm,a=b\\\uFFFD n=1 1763798400000000000'],
  [
    'a backslash before a separator in a tag replaced',
    { tags: { a: 'b\\,c\\\\ d' } },
    'm,a=b\uFFFD\\,c\\\uFFFD\\ d n=1 1763798400000000000',
  ],
  ['control characters in tags replaced', { tags: { a: 'b\nc\r\0' } }, 'm,a=b\uFFFDc\uFFFD\uFFFD n=1 1763798400000000000'],
  [
    'backslashes in the names of measurements and fields replaced',
    { measurement: 'a\\b', fields: { 'c\\d': 1 } },
    'a\uFFFDb c\uFFFDd=1 1763798400000000000',
  ],
  ['empty tags left out', { tags: { a: '', b: 'c' } }, 'm,b=c n=1 1763798400000000000'],
  ['a measurement that looks like a comment', { measurement: '#m' }, '\uFFFDm n=1 1763798400000000000'],
  ['nanos added to the time', { nanos: 7 }, 'm n=1 1763798400000000007'],
  ['times before 1970', { at: -1, nanos: 999_999 }, 'm n=1 -1'],
  ['the time zero', { at: 0 }, 'm n=1 0'],
])('writes %s', (_, change, expected) => {
  expect(line(change)).toBe(expected);
});

describe('lines', () => {
  it('lie one after another in one buffer, however much it has to grow', () => {
    const lines = new Lines();
    const texts = Array.from({ length: 3_000 }, (_, i) => (i % 7 === 0 ? `日本 ${i}` : 'x'.repeat(i % 400)));

    for (const [at, s] of texts.entries()) lines.add(new Draft().of({ ...point, fields: { s }, at: at + 1 }));

    expect(lines.size).toBe(3_000);
    expect(lines.bytes(0, 3_000).toString()).toBe(texts.map((s, i) => `m s="${s}" ${i + 1}000000\n`).join(''));
    expect(lines.bytes(7, 9).toString()).toBe(`m s="日本 7" 8000000\nm s="xxxxxxxx" 9000000\n`);
  });

  it('are not begun by a point that no store can hold', () => {
    const lines = new Lines();

    expect(lines.add(new Draft().of({ ...point, fields: {} }))).toBe('it has no fields');
    expect(lines.size).toBe(0);
  });
});

/** Text with every sign that means something in a line, but what a line cannot say. */
const text = fc
  .string({ unit: fc.constantFrom('\\', '"', ',', ' ', '=', '#', 'é', '日', '😀', 'a'), maxLength: 8 })
  .filter((t) => !/\\(?=[,= ]|$)/.test(t));
const tagName = text.map((t) => `t${t}`);
const plain = text.map((t) => `f${t.replace(/[\\"]/g, '')}`);
const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.boolean(),
  fc.string({ unit: 'binary', maxLength: 8 }),
  text,
);

it('a line that is read again is the point that it was made of', () => {
  const points = fc.record({
    measurement: plain,
    tags: fc.dictionary(
      tagName,
      text.map((t) => `v${t}`),
      { maxKeys: 3 },
    ),
    fields: fc.dictionary(plain, value, { minKeys: 1, maxKeys: 4 }),
    at: fc.integer({ min: -9_223_372_036_854, max: 9_223_372_036_853 }),
    nanos: fc.integer({ min: 1, max: 999_999 }),
  });
  fc.assert(
    fc.property(points, (made) => {
      expect(pointOfLine(line(made))).toEqual({
        ...made,
        tags: { ...made.tags },
        fields: Object.fromEntries(Object.entries(made.fields).map(([name, v]) => [name, v === 0 ? 0 : v])),
      });
    }),
    { seed: 20_251_122, numRuns: 500 },
  );
});
