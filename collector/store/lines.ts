/** Points as InfluxDB line protocol: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
import { Bytes } from './bytes.ts';
import type { Draft } from './draft.ts';
import { byName } from './names.ts';
import type { Tags, Value } from './point.ts';
import { problemOfPoint, problemOfTags } from './points.ts';

/**
 * Line protocol cannot say these: in a tag, a line end, which ends the line, and a backslash before a separator or at the end, which
 * hides it from one of InfluxDB's two readings of a line; in the names of measurements and fields any backslash or quote. Lone
 * surrogates are what UTF-8 cannot say.
 */
const UNSPEAKABLE_IN_TAG = /[\p{Cc}\p{Cs}]|\\(?=[,= ]|$)/gu;
const UNSPEAKABLE_IN_NAME = /[\p{Cc}\p{Cs}\\"]/gu;
const REPLACEMENT = '\uFFFD';

/** Nearly every name and tag is plain. */
const NOT_PLAIN = /[^\w.:/-]/;

/** A tag's key or value. */
function escapeTag(text: string): string {
  return NOT_PLAIN.test(text) ? text.replace(UNSPEAKABLE_IN_TAG, REPLACEMENT).replace(/[,= ]/g, '\\$&') : text;
}

/** A field's name and its equals sign. */
const fieldName = byName((name) => `${name.replace(UNSPEAKABLE_IN_NAME, REPLACEMENT).replace(/[,= ]/g, '\\$&')}=`);

/** Its `=` stays as it is, and a leading `#` would make the line a comment. */
function escapeMeasurement(name: string): string {
  return name.replace(UNSPEAKABLE_IN_NAME, REPLACEMENT).replace(/^#/, REPLACEMENT).replace(/[, ]/g, '\\$&');
}

/** Nanoseconds, which outgrow a double: put together as text. */
function timestamp(at: number, nanos: number): string {
  if (at <= 0) return String(BigInt(at) * 1_000_000n + BigInt(nanos));
  return nanos === 0 ? `${at}000000` : at + String(nanos).padStart(6, '0');
}

function headOf(measurement: string, tags: Tags): string {
  let head = escapeMeasurement(measurement);
  for (const key in tags) if (tags[key] !== '') head += `,${escapeTag(key)}=${escapeTag(tags[key]!)}`;
  return head;
}

interface Head {
  measurement: string;
  text: string;
  problem: string | null;
}

/** Of tags that are used again, the line's beginning is, too. */
const heads = new WeakMap<Tags, Head>();

function head(measurement: string, tags: Tags): Head {
  const known = heads.get(tags);
  if (known?.measurement === measurement) return known;
  const made = { measurement, text: headOf(measurement, tags), problem: problemOfTags(tags) };
  heads.set(tags, made);
  return made;
}

const FIRST_BYTES = 256 * 1024;
const QUOTE = 0x22;
const COMMA = 0x2c;
const SPACE = 0x20;
const LINE_END = 0x0a;

/**
 * Lines in one buffer, each with its end. What line protocol cannot say in names and tags becomes U+FFFD; texts in fields are whole.
 */
export class Lines {
  readonly #bytes = new Bytes(FIRST_BYTES);
  /** Where each line begins, and where the last one ends. */
  readonly #starts = [0];

  get size(): number {
    return this.#starts.length - 1;
  }

  /** Why no store can hold the point; null where it was added. */
  add(draft: Draft): string | null {
    const { text, problem } = head(draft.measurement, draft.tags);
    const why = problem ?? problemOfPoint(draft);
    if (why !== null) return why;
    const bytes = this.#bytes;
    const { size, names, values } = draft;
    bytes.text(text);
    for (let i = 0; i < size; i++) {
      bytes.code(i === 0 ? SPACE : COMMA);
      bytes.text(fieldName(names[i]!));
      this.#value(values[i]!);
    }
    bytes.code(SPACE);
    bytes.text(timestamp(draft.at, draft.nanos));
    bytes.code(LINE_END);
    this.#starts.push(bytes.length);
    return null;
  }

  /** The lines `from` to before `to`, without a copy. */
  bytes(from: number, to: number): Buffer {
    return this.#bytes.slice(this.#starts[from]!, this.#starts[to]!);
  }

  /** A line without its end; a text in it may have line ends of its own. */
  text(index: number): string {
    return this.#bytes.slice(this.#starts[index]!, this.#starts[index + 1]! - 1).toString();
  }

  #value(value: Value): void {
    const bytes = this.#bytes;
    if (typeof value === 'number') bytes.number(value);
    else if (typeof value === 'boolean') bytes.text(value ? 'true' : 'false');
    else {
      bytes.code(QUOTE);
      bytes.text(/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value);
      bytes.code(QUOTE);
    }
  }
}
