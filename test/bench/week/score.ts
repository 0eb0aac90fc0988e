/** What was said of a simulated fleet, held against what is true of it. */
import type { AlertType, Transition } from '../../../protocol/alerts.ts';
import type { Incident } from '../../../simulator/actions.ts';

/** The types that there is a watch for. */
export const WATCHED: readonly AlertType[] = [
  'quota.terminals',
  'terminal.offline',
  'terminal.unstable',
  'outage',
  'coverage.weakening',
  'place.moved',
  'platform.blind',
];

/** How long after the end of an incident an alert may still belong to it, milliseconds. */
const AFTER_MS = 3_600_000;

export interface Score {
  incidents: number;
  found: number;
  missed: Incident[];
  /** Of those found that have a cause of their own: how many were given it, of how many whose evidence is in the log. */
  causesRight: number;
  causesKnown: number;
  /** Of those without evidence: how many are honestly unknown. */
  unknownKept: number;
  unknowns: number;
  wrongCauses: { incident: Incident; cause: string }[];
  /** Warnings and criticals that no incident explains. */
  falseAlarms: Transition[];
  /** Warnings and criticals that belong to the incidents scored, and how many of these had one at all. */
  alerts: number;
}

/** Whether a transition says that there is such an incident. */
type Finds = (one: Transition, incident: Incident) => boolean;

/** Scores the incidents that were due before the story's end. `finds`: when one counts as found. */
export function score(
  truth: readonly Incident[],
  said: readonly Transition[],
  endAt: number,
  types: readonly AlertType[] = WATCHED,
  finds: Finds = tells,
): Score {
  const due = truth.filter(({ type, firedBetween }) => types.includes(type) && firedBetween !== null && firedBetween[1] < endAt);
  const found = due.filter((incident) => said.some((one) => finds(one, incident)));
  const alarms = said.filter(({ transition, alert }) => transition === 'fired' && alert.severity !== 'info' && types.includes(alert.type));
  const falseAlarms = alarms.filter((one) => !truth.some((incident) => explains(incident, one)));
  const told = found
    .filter(({ type }) => type === 'terminal.offline')
    .map((incident) => ({ incident, cause: causeTold(said, incident, finds) }));
  const known = told.filter(({ incident }) => !incident.cause.includes('unknown'));
  const unknown = told.filter(({ incident }) => incident.cause.includes('unknown'));
  return {
    incidents: due.length,
    found: found.length,
    missed: due.filter((incident) => !found.includes(incident)),
    causesRight: known.filter(({ incident, cause }) => incident.cause.includes(cause)).length,
    causesKnown: known.length,
    unknownKept: unknown.filter(({ incident, cause }) => incident.cause.includes(cause)).length,
    unknowns: unknown.length,
    wrongCauses: told.filter(({ incident, cause }) => !incident.cause.includes(cause)),
    falseAlarms,
    alerts: alarms.filter((one) => due.some((incident) => explains(incident, one))).length,
  };
}

/** Whether a transition tells of an incident: of its type and subject, with one of its reasons, in its time. */
export function tells({ at, transition, alert }: Transition, { type, subject, reason, firedBetween }: Incident): boolean {
  if (transition === 'resolved' || alert.type !== type || !firedBetween) return false;
  const about = Object.entries(subject).every(([member, value]) => alert.subject[member as keyof typeof alert.subject] === value);
  return about && firedBetween[0] <= at && at <= firedBetween[1] && reason.includes(alert.reason);
}

/** Whether an incident explains a transition: it may be of another of the incident's types, and of any terminal that it touched. */
export function explains({ type, also, members, subject, startsAt, endsAt }: Incident, { at, alert }: Transition): boolean {
  const { terminal, merchant, acquirer } = alert.subject;
  const inTime = startsAt <= at && at <= (endsAt ?? Number.POSITIVE_INFINITY) + AFTER_MS;
  if (!inTime || (type !== alert.type && !also.includes(alert.type))) return false;
  if (alert.type === 'platform.blind') return true;
  if (alert.type === 'outage') return alert.members.some((sn) => members.includes(sn));
  return terminal === null ? subject.merchant === merchant && subject.acquirer === acquirer : members.includes(terminal);
}

/** The cause that stood when the alert ended, or stands. */
function causeTold(said: readonly Transition[], incident: Incident, finds: Finds): string {
  const { alert } = said.find((one) => finds(one, incident))!;
  return said.findLast((one) => one.alert.id === alert.id)!.alert.cause;
}
