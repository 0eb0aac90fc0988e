/** The labels held against the watch: seeds that nothing was tuned with. */
import { describe, expect, it } from 'vitest';
import type { AlertType, Transition } from '../../protocol/alerts.ts';
import type { Incident } from '../../simulator/actions.ts';
import { tell, transitionsOf } from './support.ts';

/** The watches that there are. */
const TYPES: readonly AlertType[] = ['quota.terminals', 'terminal.offline'];
/** How long after the end of an incident an alert may still belong to it, milliseconds. */
const AFTER_MS = 3_600_000;
const CASES = [
  { scenario: 'terminal.offline', terminals: 80, days: 1, seed: 7001 },
  { scenario: 'terminal.offline', terminals: 80, days: 1, seed: 7002 },
  { scenario: 'quota.terminals', terminals: 80, days: 1, seed: 7003 },
  { scenario: 'day', terminals: 150, days: 2, seed: 7004, rate: 200 },
  { scenario: 'outage', terminals: 100, days: 1, seed: 7005 },
  { scenario: 'platform.blind', terminals: 40, days: 5, seed: 7006 },
  { scenario: 'quiet', terminals: 100, days: 3, seed: 7007 },
];

describe('the watch over a labelled story', () => {
  it.each(CASES)('finds what is labelled in its time, and nothing else ($scenario, seed $seed)', ({ scenario, ...given }) => {
    const { lines, truth, endAt } = tell(scenario, given);
    const said = transitionsOf(lines);
    const due = truth.filter(({ type, firedBetween }) => TYPES.includes(type) && firedBetween && firedBetween[1] < endAt);
    const alarms = said.filter(
      ({ transition, alert }) => transition === 'fired' && alert.severity !== 'info' && TYPES.includes(alert.type),
    );

    expect(due.filter((incident) => !said.some((one) => tells(one, incident)))).toEqual([]);
    expect(alarms.filter((one) => !truth.some((incident) => explains(incident, one)))).toEqual([]);
    if (TYPES.includes(scenario as AlertType)) expect(due.length).toBeGreaterThan(5);
  });
});

function tells({ at, transition, alert }: Transition, { type, subject, reason, firedBetween }: Incident): boolean {
  const about = Object.entries(subject).every(([member, value]) => alert.subject[member as keyof typeof alert.subject] === value);
  const inTime = firedBetween![0] <= at && at <= firedBetween![1];
  return transition !== 'resolved' && alert.type === type && about && inTime && reason.includes(alert.reason);
}

function explains({ type, also, members, subject, startsAt, endsAt }: Incident, { at, alert }: Transition): boolean {
  const { terminal, merchant } = alert.subject;
  const about = terminal === null ? subject.merchant === merchant : members.includes(terminal);
  const inTime = startsAt <= at && at <= (endsAt ?? Number.POSITIVE_INFINITY) + AFTER_MS;
  return about && inTime && (type === alert.type || also.includes(alert.type));
}
