/** The life of an alert, the same for every type: a verdict in, a transition or none out. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Alert, AlertType, Evidence, Subject, Transition } from '../../protocol/alerts.ts';
import type { Condition, Verdict } from '../rules/verdict.ts';
import { remediesFor } from './remedies.ts';

const NOBODY: Subject = {
  acquirer: null,
  merchant: null,
  site: null,
  terminal: null,
  operator: null,
  cell: null,
  app: null,
  card: null,
  kind: null,
  class: null,
};

export function subjectOf(members: Partial<Subject>): Subject {
  return { ...NOBODY, ...members };
}

/**
 * The id follows from type, subject and start, and from a count should one subject open twice in a millisecond, so that it is the
 * same live, in replay and on another machine. `key` names type and subject.
 */
export function alertId(key: string, startsAt: number, count: number): string {
  const name = JSON.stringify(count === 0 ? [key, startsAt] : [key, startsAt, count]);
  return bytesToHex(sha256(utf8ToBytes(name))).slice(0, 24);
}

/** What a verdict makes of the alert that is firing (or of none), at `at`. Null: nothing to tell. */
export function nextTransition(
  firing: Readonly<Alert> | null,
  verdict: Verdict,
  at: number,
  opening: () => { id: string; type: AlertType; subject: Subject },
): Transition | null {
  const { condition } = verdict;
  if (!condition) return firing ? { at, transition: 'resolved', alert: resolve(firing, at, verdict.closing ?? []) } : null;
  if (!firing) return { at, transition: 'fired', alert: fire(condition, at, opening()) };
  return changes(firing, condition)
    ? { at, transition: 'updated', alert: { ...update(firing, condition), updatedAt: at, seq: firing.seq + 1 } }
    : null;
}

/** The condition that a firing alert stands on, for rules that need to know what they said. */
export function conditionOf(alert: Readonly<Alert>): Condition {
  const { severity, reason, cause, confidence, evidence, predicted, count, members } = alert;
  return { severity, reason, cause, confidence, evidence, predicted, count, members };
}

function fire(condition: Condition, at: number, { id, type, subject }: { id: string; type: AlertType; subject: Subject }): Alert {
  return {
    id,
    type,
    severity: condition.severity,
    state: 'firing',
    acknowledgedBy: null,
    assignee: null,
    silencedBy: null,
    subject,
    reason: condition.reason,
    cause: condition.cause,
    confidence: condition.confidence,
    evidence: condition.evidence,
    remedy: remediesFor(type, condition.reason, condition.cause),
    predicted: condition.predicted,
    count: condition.count ?? 1,
    members: condition.members ?? [],
    startsAt: at,
    updatedAt: at,
    endsAt: null,
    seq: 1,
  };
}

function resolve(alert: Readonly<Alert>, at: number, closing: Evidence[]): Alert {
  return { ...alert, evidence: [...alert.evidence, ...closing], state: 'resolved', updatedAt: at, endsAt: at, seq: alert.seq + 1 };
}

function changes(alert: Readonly<Alert>, condition: Condition): boolean {
  const { severity, reason, cause, count = 1 } = condition;
  return alert.severity !== severity || alert.reason !== reason || alert.cause !== cause || alert.count !== count;
}

function update(alert: Readonly<Alert>, condition: Condition): Alert {
  return { ...alert, ...condition, remedy: remediesFor(alert.type, condition.reason, condition.cause) };
}
