/** terminal.offline: expected and not heard. */
import type { Evidence } from '../../protocol/alerts.ts';
import type { Hours, HoursBook } from '../fleet/hours.ts';
import { intervalMs, keepaliveMs, mayAlert, type PresenceState, type Terminal } from '../fleet/terminals.ts';
import type { OfflineRules } from './defaults.ts';
import type { Verdict } from './verdict.ts';

const MINUTE_MS = 60_000;

export interface PresenceDecision {
  state: PresenceState;
  offline: { at: number; reason: 'silent' | 'lost' } | null;
  /** When to decide again if nothing is heard before; Infinity where only news can change the decision. */
  nextAt: number;
  verdict: Verdict;
}

export interface Sight {
  hours: Hours | null;
  book: HoursBook;
  /** Whether we are blind for this terminal now, and when we last were. */
  blind: boolean;
  blindUntil: number | null;
}

interface Deadlines {
  suspectAt: number;
  silentAt: number;
  lostAt: number;
  /** The goodbye was the end of the day: the wait counts from the next opening. */
  closedForTheDay: boolean;
}

/**
 * Decides about one terminal at `at`, by what is known of it. Silent verdicts: never_heard, blind, within_wait, suspect,
 * closed_for_the_day, hold_down, not_bound, lifecycle.
 */
export function decidePresence(t: Readonly<Terminal>, at: number, sight: Sight, rules: OfflineRules): PresenceDecision {
  const { presence } = t;
  if (presence.lifeAt === null) return waiting('unknown', 'never_heard', Number.POSITIVE_INFINITY);
  const due = deadlines(t, sight, rules);
  const offlineAt = presence.offline?.at ?? Math.max(Math.min(due.silentAt, due.lostAt), seenAgainAt(t, sight, rules));
  if (at < offlineAt) return beforeOffline(t, at, due, offlineAt);
  if (sight.blind && !presence.offline) return waiting(presence.state, 'blind', Number.POSITIVE_INFINITY);
  const offline = presence.offline ?? { at: offlineAt, reason: due.lostAt < due.silentAt ? 'lost' : 'silent' };
  return offlineDecision(t, at, offline, due, sight, rules);
}

function deadlines(t: Readonly<Terminal>, { hours, book }: Sight, rules: OfflineRules): Deadlines {
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
function seenAgainAt(t: Readonly<Terminal>, { hours, book, blindUntil }: Sight, rules: OfflineRules): number {
  if (blindUntil === null) return Number.NEGATIVE_INFINITY;
  return book.after(hours, blindUntil, rules.blindIntervals * intervalMs(t));
}

function beforeOffline(t: Readonly<Terminal>, at: number, due: Deadlines, offlineAt: number): PresenceDecision {
  const { goodbyeAt, lostAt } = t.presence;
  if (goodbyeAt !== null) return waiting('goodbye', due.closedForTheDay ? 'closed_for_the_day' : 'within_wait', offlineAt);
  if (lostAt !== null) return waiting('suspect', 'hold_down', offlineAt);
  if (at >= due.suspectAt) return waiting('suspect', 'suspect', offlineAt);
  return waiting('online', 'within_wait', Math.min(due.suspectAt, offlineAt));
}

function waiting(state: PresenceState, why: string, nextAt: number): PresenceDecision {
  return { state, offline: null, nextAt, verdict: { why, condition: null } };
}

function offlineDecision(
  t: Readonly<Terminal>,
  at: number,
  offline: { at: number; reason: 'silent' | 'lost' },
  due: Deadlines,
  { hours, book }: Sight,
  rules: OfflineRules,
): PresenceDecision {
  const criticalAt = book.after(hours, offline.at, rules.criticalAfterMinutes * MINUTE_MS);
  const nextAt = at < criticalAt ? criticalAt : Number.POSITIVE_INFINITY;
  const decided = { state: 'offline', offline, nextAt } as const;
  if (!mayAlert(t.binding)) return { ...decided, verdict: { why: t.binding ? 'lifecycle' : 'not_bound', condition: null } };
  const switchedOff = t.presence.goodbyeAt !== null && !due.closedForTheDay;
  const condition = {
    severity: at < criticalAt ? ('warning' as const) : ('critical' as const),
    reason: offline.reason,
    cause: switchedOff ? 'switched_off' : 'unknown',
    confidence: switchedOff ? 1 : 0,
    evidence: evidenceOf(t, at),
    predicted: null,
  };
  return { ...decided, verdict: { why: offline.reason, condition } };
}

function evidenceOf(t: Readonly<Terminal>, at: number): Evidence[] {
  const { lifeAt, goodbyeAt, lostAt } = t.presence;
  const evidence: Evidence[] = [{ what: 'last_heard', value: lifeAt, at: lifeAt ?? at }];
  if (goodbyeAt !== null) evidence.push({ what: 'goodbye', value: goodbyeAt, at: goodbyeAt });
  if (lostAt !== null) evidence.push({ what: 'will', value: lostAt, at: lostAt });
  evidence.push({ what: 'interval_seconds', value: intervalMs(t) / 1000, at });
  return evidence;
}
