/** Points as InfluxDB line protocol: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
import type { Point } from './port.ts';

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

function escapeField(name: string): string {
  return NOT_PLAIN.test(name) ? name.replace(UNSPEAKABLE_IN_NAME, REPLACEMENT).replace(/[,= ]/g, '\\$&') : name;
}

/** Its `=` stays as it is, and a leading `#` would make the line a comment. */
function escapeMeasurement(name: string): string {
  if (!NOT_PLAIN.test(name)) return name;
  return name.replace(UNSPEAKABLE_IN_NAME, REPLACEMENT).replace(/^#/, REPLACEMENT).replace(/[, ]/g, '\\$&');
}

function fieldValue(value: number | string | boolean): string {
  if (typeof value === 'string') return `"${/["\\]/.test(value) ? value.replace(/["\\]/g, '\\$&') : value}"`;
  return String(value);
}

/** Nanoseconds, which outgrow a double: put together as text. */
function timestamp(at: number, nanos: number): string {
  if (at <= 0) return String(BigInt(at) * 1_000_000n + BigInt(nanos));
  return nanos === 0 ? `${at}000000` : at + String(nanos).padStart(6, '0');
}

/**
 * One line, without its end. The point must have passed `refuseImpossible`.
 * What line protocol cannot say in names and tags becomes U+FFFD; texts in fields are whole.
 */
export function toLine({ measurement, tags, fields, at, nanos = 0 }: Point): string {
  let line = escapeMeasurement(measurement);
  for (const key in tags) {
    const value = tags[key]!;
    if (value !== '') line += `,${escapeTag(key)}=${escapeTag(value)}`;
  }
  let separator = ' ';
  for (const key in fields) {
    line += `${separator}${escapeField(key)}=${fieldValue(fields[key]!)}`;
    separator = ',';
  }
  return `${line} ${timestamp(at, nanos)}`;
}
