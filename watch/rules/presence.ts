/** terminal.offline: expected and not heard. */
import type { Evidence } from '../../protocol/alerts.ts';
import type { Hours, HoursBook } from '../fleet/hours.ts';
import { intervalMs, keepaliveMs, mayAlert, type PresenceState, type Terminal } from '../fleet/terminals.ts';
import type { Because } from './causes.ts';
import type { OfflineRules } from './defaults.ts';
import type { Condition } from './verdict.ts';

const MINUTE_MS = 60_000;
const SWITCHED_OFF: Because = { cause: 'switched_off', confidence: 1, evidence: [] };

/** What a terminal counts as among those that it shares something with; null leaves that as it was. */
export type Counted = 'there' | 'holding' | 'gone' | 'away' | null;

export interface PresenceDecision {
  state: PresenceState;
  counted: Counted;
  offline: { at: number; reason: 'silent' | 'lost' } | null;
  /** When to decide again if nothing is heard before; Infinity where only news can change the decision. */
  nextAt: number;
  /** Why, in one word. */
  why: string;
  /** Makes the condition that holds, for whoever is to hear of it; null where none does. */
  condition: (() => Condition) | null;
}

export interface Sight {
  hours: Hours | null;
  book: HoursBook;
  /** Whether we are blind for this terminal now, and when we last were. */
  blind: boolean;
  blindUntil: number | null;
  /** Why it would be silent. */
  because: () => Because;
}

interface Deadlines {
  suspectAt: number;
  silentAt: number;
  lostAt: number;
  /** The goodbye was the end of the day: the wait counts from the next opening. */
  closedForTheDay: boolean;
}

/**
 * Decides about one terminal at `at`, by what is known of it. Silent verdicts: never_heard, blind, not_seen_again,
 * within_wait, suspect, closed_for_the_day, hold_down, not_bound, lifecycle.
 */
export function decidePresence(t: Readonly<Terminal>, at: number, sight: Sight, rules: OfflineRules): PresenceDecision {
  const { presence } = t;
  if (presence.lifeAt === null) return waiting('unknown', 'away', 'never_heard', Number.POSITIVE_INFINITY);
  const due = deadlines(t, sight, rules);
  const againAt = seenAgainAt(t, sight, rules);
  const offlineAt = presence.offline?.at ?? Math.max(Math.min(due.silentAt, due.lostAt), againAt);
  if (sight.blind && !presence.offline && at >= Math.min(due.suspectAt, offlineAt)) {
    return waiting(presence.state, null, 'blind', Number.POSITIVE_INFINITY);
  }
  if (at < offlineAt) return beforeOffline(t, at, due, offlineAt, againAt);
  const offline = presence.offline ?? { at: offlineAt, reason: due.lostAt < due.silentAt ? 'lost' : 'silent' };
  return offlineDecision(t, at, offline, due, sight, rules);
}

/** Until when one that is heard, and of which nothing else is known, goes on counting as there. */
export function quietUntil(t: Readonly<Terminal>, sight: Omit<Sight, 'because'>, rules: OfflineRules): number {
  const { suspectAt, silentAt } = deadlines(t, sight, rules);
  return Math.min(suspectAt, Math.max(silentAt, seenAgainAt(t, sight, rules)));
}

function deadlines(t: Readonly<Terminal>, { hours, book }: Pick<Sight, 'hours' | 'book'>, rules: OfflineRules): Deadlines {
  const { lifeAt, goodbyeAt, lostAt } = t.presence;
  const closedForTheDay = goodbyeAt !== null && isEndOfDay(goodbyeAt, hours, book, rules);
  const from = closedForTheDay ? book.opensAt(hours, Math.max(goodbyeAt, closingOf(goodbyeAt, hours, book))) : lifeAt!;
  const wait = Math.max(rules.offlineIntervals * intervalMs(t), rules.offlineKeepalives * keepaliveMs(t));
  return {
    suspectAt: book.after(hours, from, rules.suspectIntervals * intervalMs(t)),
    silentAt: book.after(hours, from, wait),
    lostAt: lostAt === null ? Number.POSITIVE_INFINITY : book.after(hours, lostAt, rules.lostHoldSeconds * 1000),
    closedForTheDay,
  };
}

function isEndOfDay(goodbyeAt: number, hours: Hours | null, book: HoursBook, rules: OfflineRules): boolean {
  return !book.isOpen(hours, goodbyeAt) || book.closesAt(hours, goodbyeAt) - goodbyeAt <= rules.closingMinutes * MINUTE_MS;
}

function closingOf(at: number, hours: Hours | null, book: HoursBook): number {
  return book.isOpen(hours, at) ? book.closesAt(hours, at) : at;
}

/** Until when a terminal cannot be called offline, because we were blind: it has to have had its chance to be heard. */
function seenAgainAt(t: Readonly<Terminal>, { hours, book, blindUntil }: Omit<Sight, 'because'>, rules: OfflineRules): number {
  if (blindUntil === null) return Number.NEGATIVE_INFINITY;
  return book.after(hours, blindUntil, rules.blindIntervals * intervalMs(t));
}

function beforeOffline(t: Readonly<Terminal>, at: number, due: Deadlines, offlineAt: number, againAt: number): PresenceDecision {
  const { goodbyeAt, lostAt } = t.presence;
  if (goodbyeAt !== null) return waiting('goodbye', 'away', due.closedForTheDay ? 'closed_for_the_day' : 'within_wait', offlineAt);
  if (at >= due.suspectAt && at < againAt) return waiting('unknown', 'there', 'not_seen_again', offlineAt);
  if (at >= due.suspectAt) return waiting('suspect', 'gone', 'suspect', offlineAt);
  const nextAt = Math.min(due.suspectAt, offlineAt);
  return lostAt === null ? waiting('online', 'there', 'within_wait', nextAt) : waiting('suspect', 'holding', 'hold_down', nextAt);
}

function waiting(state: PresenceState, counted: Counted, why: string, nextAt: number): PresenceDecision {
  return { state, counted, offline: null, nextAt, why, condition: null };
}

function offlineDecision(
  t: Readonly<Terminal>,
  at: number,
  offline: { at: number; reason: 'silent' | 'lost' },
  due: Deadlines,
  { hours, book, because }: Sight,
  rules: OfflineRules,
): PresenceDecision {
  const criticalAt = book.after(hours, offline.at, rules.criticalAfterMinutes * MINUTE_MS);
  const nextAt = at < criticalAt ? criticalAt : Number.POSITIVE_INFINITY;
  const decided = { state: 'offline', counted: 'gone', offline, nextAt } as const;
  if (!mayAlert(t.binding)) return { ...decided, why: t.binding ? 'lifecycle' : 'not_bound', condition: null };
  const condition = (): Condition => {
    const { cause, confidence, evidence } = saidGoodbye(t, due) ? SWITCHED_OFF : because();
    return {
      severity: at < criticalAt ? 'warning' : 'critical',
      reason: offline.reason,
      cause,
      confidence,
      evidence: [...evidenceOf(t, at), ...evidence],
      predicted: null,
    };
  };
  return { ...decided, why: offline.reason, condition };
}

function saidGoodbye({ presence }: Readonly<Terminal>, { closedForTheDay }: Deadlines): boolean {
  return presence.goodbyeAt !== null && !closedForTheDay;
}

function evidenceOf(t: Readonly<Terminal>, at: number): Evidence[] {
  const { lifeAt, goodbyeAt, lostAt } = t.presence;
  const evidence: Evidence[] = [{ what: 'last_heard', value: lifeAt, at: lifeAt ?? at }];
  if (goodbyeAt !== null) evidence.push({ what: 'goodbye', value: goodbyeAt, at: goodbyeAt });
  if (lostAt !== null) evidence.push({ what: 'will', value: lostAt, at: lostAt });
  evidence.push({ what: 'interval_seconds', value: intervalMs(t) / 1000, at });
  return evidence;
}
