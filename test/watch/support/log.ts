/** Logs in the replay format, as tests write them, and what the watch makes of them. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Transition } from '../../../protocol/alerts.ts';
import type { Entry } from '../../../protocol/entries.ts';
import { entryFromLine } from '../../../protocol/replay.ts';
import { Watch } from '../../../watch/fold/watch.ts';

/** Every property runs on the same cases each time. */
export const SEED = 20_251_122;

/** A Monday, 00:00 UTC. */
export const MONDAY = Date.UTC(2025, 10, 17);
export const SECOND = 1_000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export const SCENARIOS = fileURLToPath(new URL('../../../../shared/scenarios/', import.meta.url));
export const hasScenarios = existsSync(SCENARIOS);

export type Line = Record<string, unknown> & { at: number };

/** The entry of a line; a line that is none is the test's own mistake. */
export function entry(line: Line): Entry {
  const result = entryFromLine(JSON.stringify(line));
  if (!result.ok) throw new Error(`${result.problem}: ${JSON.stringify(line)}`);
  return result.entry;
}

export function merchant(at: number, row: Record<string, unknown> = {}): Line {
  return { at, registry: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', ...row } } };
}

export function terminal(at: number, sn: string, row: Record<string, unknown> = {}): Line {
  return { at, registry: { table: 'terminals', row: { acquirer: 'acme', merchant: 'm-1', sn, lifecycle: 'active', ...row } } };
}

/** `count` terminals of a merchant, numbered from `first`. */
export function terminals(at: number, count: number, first = 1, row: Record<string, unknown> = {}): Line[] {
  return Array.from({ length: count }, (_, n) => terminal(at, serial(first + n), row));
}

export function serial(n: number): string {
  return `SN${String(n).padStart(6, '0')}`;
}

export function binding(at: number, row: Record<string, unknown>): Line {
  return { at, registry: { table: 'bindings', row: { acquirer: 'acme', ...row } } };
}

export const unbind = (at: number, sn: string): Line => binding(at, { op: 'unbind', sn });
export const bind = (at: number, sn: string, merchantOf = 'm-1'): Line => binding(at, { op: 'bind', sn, merchant: merchantOf });

export interface Via {
  sn?: string;
  session?: string;
  node?: string;
  replayOf?: { at: number };
}

function message(at: number, channel: string, payload: Record<string, unknown>, { sn = 'SN000001', session = 's1', ...rest }: Via): Line {
  return { at, topic: `pos/v1/acme/${sn}/${channel}`, payload: { v: 1, session, ...payload }, ...rest };
}

export function birth(at: number, body: Record<string, unknown> = {}, via: Via = {}): Line {
  return message(at, 'birth', { at, interval: 300, keepalive: 60, ...body }, via);
}

export function report(at: number, seq: number, via: Via = {}): Line {
  return message(at, 'report', { seq, samples: [{ at }] }, via);
}

/** A report of one sample. */
export function said(at: number, seq: number, sample: Record<string, unknown>, via: Via = {}): Line {
  return message(at, 'report', { seq, samples: [{ at, ...sample }] }, via);
}

/** A report of samples that were taken before, each with its own time. */
export function backlog(at: number, seq: number, samples: ({ at: number } & Record<string, unknown>)[], via: Via = {}): Line {
  return message(at, 'report', { seq, samples }, via);
}

/** An event of before. */
export function hadHappened(at: number, seq: number, type: string, before: number, via: Via = {}): Line {
  return message(at, 'event', { seq, at: before, type }, via);
}

/** An event. */
export function happened(at: number, seq: number, type: string, via: Via = {}, data: Record<string, unknown> = {}): Line {
  return message(at, 'event', { seq, at, type, data }, via);
}

export const online = (at: number, via: Via = {}): Line => message(at, 'state', { at, state: 'online' }, via);
export const goodbye = (at: number, via: Via = {}): Line => message(at, 'state', { at, state: 'goodbye' }, via);
export const will = (at: number, via: Via = {}): Line => message(at, 'state', { state: 'lost' }, via);

export function command(at: number, id: string, { sn = 'SN000001', expires = at + HOUR, type = 'report_now' } = {}): Line {
  return { at, acquirer: 'acme', sn, command: { v: 1, id, type, expires } };
}

export function ack(
  at: number,
  id: string,
  body: { ok?: boolean; error?: string | null } = {},
  { sn = 'SN000001', ...rest }: Via = {},
): Line {
  return { at, topic: `pos/v1/acme/${sn}/ack`, payload: { v: 1, id, ok: true, error: null, ...body }, ...rest };
}

export function platform(at: number, part: string, state: string, more: Record<string, unknown> = {}): Line {
  return { at, platform: { part, state, ...more } };
}

export const tick = (at: number): Line => ({ at, tick: true });

/** All transitions of a log, in order; after its last line time stands still. */
export function fold(lines: readonly Line[], watch = new Watch()): Transition[] {
  return [...lines.flatMap((line) => watch.step(entry(line)).transitions), ...watch.finish().transitions];
}

/** A transition in short: what a test compares. */
export function brief({ at, transition, alert }: Transition): string {
  const who = alert.subject.terminal ?? alert.subject.merchant;
  return `${at} ${transition} ${who} ${alert.reason} ${alert.severity} ${alert.cause}`;
}

/** A folded log in short, times counted from `from`. */
export function story(lines: readonly Line[], from = MONDAY): string[] {
  return fold(lines).map((t) => brief({ ...t, at: t.at - from }));
}
