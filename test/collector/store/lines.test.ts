import { expect, it } from 'vitest';
import { toLine } from '../../../collector/store/lines.ts';
import type { Point } from '../../../collector/store/port.ts';

const point: Point = { measurement: 'm', tags: {}, fields: { n: 1 }, at: 1_763_798_400_000 };
const line = (change: Partial<Point>) => toLine({ ...point, ...change });

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
