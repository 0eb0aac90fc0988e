/** Reports of a radio, as the tests of coverage write them. */
import { birth, type Line, MINUTE, MONDAY, serial, story, terminal } from './log.ts';

export interface Series {
  sn?: string;
  session?: string;
  /** When the first is taken, and how far apart they are. */
  from?: number;
  every?: number;
  /** The first's number in its session. */
  seq?: number;
}

export type Values = Record<string, unknown>;

/** A signal of LTE by its RSRP, or whatever it is given. */
export function signal(value: number | Values): Values {
  return typeof value === 'number' ? { rat: 'lte', rsrp: value, rsrq: -9, sinr: 14 } : value;
}

/** A report for each value: a level, or members of the signal. */
export function levels(values: readonly (number | Values)[], series: Series = {}): Line[] {
  return samples(
    values.map((value) => ({ signal: signal(value) })),
    series,
  );
}

/** A report for each sample. */
export function samples(values: readonly Values[], { from = MONDAY, every = 5 * MINUTE, seq = 0, ...via }: Series = {}): Line[] {
  return values.map((value, n) => batch(from + n * every, seq + n, [{ at: from + n * every, ...value }], via));
}

/** One report of several samples. */
export function batch(at: number, seq: number, taken: readonly Values[], { sn = serial(1), session = 's1' }: Series = {}): Line {
  return { at, topic: `pos/v1/acme/${sn}/report`, payload: { v: 1, session, seq, samples: taken } };
}

export function event(at: number, seq: number, type: string, data: Values = {}, { sn = serial(1), session = 's1' }: Series = {}): Line {
  return { at, topic: `pos/v1/acme/${sn}/event`, payload: { v: 1, session, seq, at, type, data } };
}

/** A level many times, give or take 2 dB. Five is no divisor of the reports of an hour or a day. */
export function steady(value: number, count: number): number[] {
  return Array.from({ length: count }, (_, n) => value + (n % 5) - 2);
}

/** A fixed terminal that is registered and has told of itself. */
export function shop(body: Values = {}): Line[] {
  return [terminal(MONDAY - 2 * MINUTE, serial(1)), birth(MONDAY - MINUTE, { use: 'fixed', ...body })];
}

/** What is said of coverage, in short; times in minutes from the beginning. */
export function told(lines: readonly Line[], body: Values = {}): string[] {
  return story([...shop(body), ...lines].sort((a, b) => a.at - b.at))
    .filter((line) => !/ (silent|lost|flapping) /.test(line))
    .map((line) => line.replace(/^(\d+)/, (at) => `${Number(at) / MINUTE}`).replace(` ${serial(1)}`, ''));
}
