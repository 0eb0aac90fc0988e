import type { Point, Value } from './point.ts';

/** What separates, where no backslash stands before it. */
const TAGS_END = /(?:\\[\s\S]|[^\\ ])*/y;
const COMMA = /(?:\\[,= ]|[^,])+/g;
const FIELD = /((?:\\[,= ]|[^=])+)=("(?:\\["\\]|[^"])*"|[^,]*)(?:,|$)/gy;

/** Reads a line that `Lines` made: a point as the server was given it. */
export function pointOfLine(line: string): Point {
  TAGS_END.lastIndex = 0;
  const head = TAGS_END.exec(line)![0];
  const timeFrom = line.lastIndexOf(' ');
  const [measurement, ...tags] = head.match(COMMA)!;
  const fields: Record<string, Value> = {};
  for (const [, name, value] of line.slice(head.length + 1, timeFrom).matchAll(FIELD)) fields[unescaped(name!)] = readValue(value!);
  const time = BigInt(line.slice(timeFrom + 1));
  // BigInt divides towards zero; nanos count from the millisecond before.
  const nanos = ((time % 1_000_000n) + 1_000_000n) % 1_000_000n;
  return {
    measurement: unescaped(measurement!),
    tags: Object.fromEntries(tags.map(tagOf)),
    fields,
    at: Number((time - nanos) / 1_000_000n),
    ...(nanos > 0n && { nanos: Number(nanos) }),
  };
}

function tagOf(text: string): [string, string] {
  const [, key, value] = /^((?:\\[,= ]|[^=])+)=([\s\S]*)$/.exec(text)!;
  return [unescaped(key!), unescaped(value!)];
}

function unescaped(name: string): string {
  return name.replace(/\\([,= ])/g, '$1');
}

function readValue(text: string): Value {
  if (text.startsWith('"')) return text.slice(1, -1).replace(/\\(["\\])/g, '$1');
  return text === 'true' || text === 'false' ? text === 'true' : Number(text);
}
