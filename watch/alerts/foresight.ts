/** What can be foreseen, and by which warnings: the product holds its own warnings against what happened. */
import type { Alert, AlertType, Reason } from '../../protocol/alerts.ts';
import type { Rules } from '../rules/defaults.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** Alerts of a type, with any of these reasons and causes; absent: with any at all. */
interface Which {
  type: AlertType;
  reasons?: readonly Reason[];
  causes?: readonly string[];
}

/** A warning, and the event that it warns of: both are alerts of the same subject. */
export interface Foreseeable {
  warning: Which;
  event: Which;
  /** How long after its end a warning that names no date may still come true. */
  horizonMs(rules: Rules): number;
}

/** Only what a fading signal leads to can be seen in it; why many go at once cannot. */
export const FORESEEABLE: readonly Foreseeable[] = [
  {
    warning: { type: 'coverage.weakening' },
    event: { type: 'terminal.offline', causes: ['radio'] },
    horizonMs: ({ foresight }) => foresight.coverageMinutes * MINUTE_MS,
  },
  {
    warning: { type: 'quota.terminals', reasons: ['forecast', 'approaching'] },
    event: { type: 'quota.terminals', reasons: ['reached', 'over'] },
    horizonMs: ({ foresight }) => foresight.quotaDays * DAY_MS,
  },
];

/** One that stands, or that may still come true. All times are epoch milliseconds. */
export interface Warning {
  key: string;
  /** What it warns of. */
  name: string;
  acquirer: string;
  /** Since when it stands; where it came again before its time had passed, since then. */
  since: number;
  /** Until when it may come true though it has ended; null while it stands. */
  until: number | null;
  cameTrue: boolean;
}

/** Under which name it is counted. */
export function nameOf({ warning, event }: Foreseeable): string {
  return `${warning.type} ${event.type}`;
}

/** Whether an alert is one of these now. Information is no warning, and what is normal is no event. */
export function holds({ type, reasons, causes }: Which, alert: Readonly<Alert> | null): boolean {
  if (alert?.type !== type || alert.state !== 'firing' || alert.severity === 'info') return false;
  return (reasons?.includes(alert.reason) ?? true) && (causes?.includes(alert.cause) ?? true);
}

/** When an event that is told of at `at` happened: a terminal that fell silent did so when it was last heard. */
export function happenedAt({ evidence }: Readonly<Alert>, at: number): number {
  return evidence.find(({ what }) => what === 'last_heard')?.at ?? at;
}

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** How early a warning came is counted in these steps, rounded down. */
export const LEAD_STEPS_SECONDS: readonly number[] = [
  ...[0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 45].map((minutes) => minutes * 60),
  ...[1, 1.5, 2, 3, 4, 6, 8, 12, 18].map((hours) => hours * HOUR_SECONDS),
  ...[1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90].map((days) => days * DAY_SECONDS),
];

export function leadStep(leadMs: number): number {
  return LEAD_STEPS_SECONDS.findLast((seconds) => seconds * 1000 <= leadMs) ?? 0;
}
