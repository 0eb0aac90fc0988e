/** Lines for people. */
import type { Alert } from '../protocol/alerts.ts';

/** Who or what it is about: "acme / m-1001 / SN000001". */
export function subjectLine({ subject }: Pick<Alert, 'subject'>): string {
  const { acquirer, merchant, terminal } = subject;
  return [acquirer, merchant, terminal].filter((part) => part !== null).join(' / ');
}

/** An alert as one line. */
export function alertLine(transition: string, alert: Alert): string {
  const cause = alert.cause === 'unknown' ? '' : `, cause ${alert.cause}`;
  return `${transition.padEnd(8)}  ${alert.severity.padEnd(8)}  ${alert.type} ${alert.reason}${cause}  ${subjectLine(alert)}`;
}

/** "1 event", "2 events". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
