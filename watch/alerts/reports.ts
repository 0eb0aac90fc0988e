/** What the product tells of its own guesses and warnings, from what was counted of them by day. */
import { GROUP_KINDS } from '../fleet/groups.ts';
import { OFFLINE_CAUSES } from '../rules/causes.ts';
import { FORESEEABLE, nameOf } from './foresight.ts';
import type { Foreseen, ReportDay } from './report-days.ts';

/** What may be said of a silence, and told: an outage's cause is what its members share. */
const CAUSES: readonly string[] = [...new Set<string>([...OFFLINE_CAUSES, ...GROUP_KINDS])];

export interface CausesReport {
  /** A row for each cause that was said: how often each was told after it. */
  rows: { said: string; told: Record<string, number>; total: number }[];
  /** How often each was told in all. */
  totals: Record<string, number>;
  total: number;
  /** Silences whose cause was told, and those of them of which the same had been said. */
  told: number;
  right: number;
  /** `right` of `told`; null where nothing was told. */
  accuracy: number | null;
  /** Those told of which a cause had been said, other than `unknown`, and how many of these were right. */
  guessed: number;
  precision: number | null;
}

/** The confusion table of causes: rows are what was said, columns what the terminals told. */
export function causesReport(days: Iterable<Readonly<ReportDay>>): CausesReport {
  const counts = new Map<string, number>();
  for (const { causes } of days) {
    for (const [pair, n] of Object.entries(causes)) counts.set(pair, (counts.get(pair) ?? 0) + n);
  }
  const rows = CAUSES.map((said) => {
    const told = Object.fromEntries(CAUSES.map((truth) => [truth, counts.get(`${said} ${truth}`) ?? 0]));
    return { said, told, total: sum(Object.values(told)) };
  });
  const totals = Object.fromEntries(CAUSES.map((truth) => [truth, sum(rows.map(({ told }) => told[truth]!))]));
  const total = sum(Object.values(totals));
  const told = total - totals.unknown!;
  const right = sum(rows.map((row) => (row.said === 'unknown' ? 0 : row.told[row.said]!)));
  const unknown = rows.find(({ said }) => said === 'unknown')!;
  const guessed = told - (unknown.total - unknown.told.unknown!);
  return { rows, totals, total, told, right, accuracy: share(right, told), guessed, precision: share(right, guessed) };
}

export interface LeadTime {
  warning: string;
  event: string;
  /** How often the event happened, and how often there was a warning of it. */
  events: number;
  warned: number;
  /** `warned` of `events`; null where there were none. */
  recall: number | null;
  /** How early the warnings came: half of them at least `median`. Null where there was none. */
  leadSeconds: { p10: number; median: number; p90: number } | null;
  /** Warnings that were decided: those that came true, and those whose time passed. */
  warnings: number;
  cameTrue: number;
  cameToNothing: number;
}

export function leadTimeReport(days: readonly Readonly<ReportDay>[]): LeadTime[] {
  return FORESEEABLE.map((foreseeable) => {
    const counted = days.flatMap(({ foreseen }) => foreseen[nameOf(foreseeable)] ?? []);
    return { warning: foreseeable.warning.type, event: foreseeable.event.type, ...leadTimeOf(counted) };
  });
}

function leadTimeOf(counted: readonly Readonly<Foreseen>[]): Omit<LeadTime, 'warning' | 'event'> {
  const total = (member: 'events' | 'cameTrue' | 'cameToNothing') => sum(counted.map((one) => one[member]));
  const [events, cameTrue, cameToNothing] = [total('events'), total('cameTrue'), total('cameToNothing')];
  const leads = new Map<number, number>();
  for (const one of counted) {
    for (const [seconds, n] of Object.entries(one.leads)) leads.set(Number(seconds), (leads.get(Number(seconds)) ?? 0) + n);
  }
  const sorted = [...leads].sort(([a], [b]) => a - b);
  const warned = sum(sorted.map(([, n]) => n));
  const at = (percent: number) => quantile(sorted, warned, percent);
  const leadSeconds = warned === 0 ? null : { p10: at(10), median: at(50), p90: at(90) };
  return { events, warned, recall: share(warned, events), leadSeconds, warnings: cameTrue + cameToNothing, cameTrue, cameToNothing };
}

/** The least value that so many percent of all are at or below. */
function quantile(sorted: readonly (readonly [number, number])[], total: number, percent: number): number {
  let seen = 0;
  return sorted.find(([, n]) => {
    seen += n;
    return seen * 100 >= percent * total;
  })![0];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0);
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
