/** What an alert is, as people and other programs see it. */

/** The closed set of reasons of each type of alert. */
export const REASONS = {
  'quota.terminals': ['forecast', 'approaching', 'reached', 'over', 'pace'],
  'quota.peripherals': ['approaching', 'reached', 'over'],
  'quota.sim_data': ['forecast', 'approaching', 'reached'],
  'binding.reclaimable': ['swapped', 'silent'],
  'binding.drift': ['registry_high', 'reported_high'],
  'binding.conflict': ['two_merchants', 'two_serials'],
  'coverage.weakening': ['trend', 'step', 'band', 'reconnects', 'agent'],
  'terminal.offline': ['silent', 'lost'],
  'terminal.unstable': ['flapping'],
  outage: ['site', 'operator', 'cell', 'acquirer', 'app'],
  'scope.closed': ['never_opened', 'regression'],
  'failure.rate': ['spike', 'sustained'],
  'failure.terminal': ['terminal_binding', 'merchant_config', 'security', 'security_key', 'terminal_state', 'terminal_hardware'],
  'place.moved': ['moved'],
  'software.lagging': ['regression'],
  'platform.blind': ['broker', 'log', 'store', 'collector', 'clock'],
} as const;

export type AlertType = keyof typeof REASONS;
export type Reason<T extends AlertType = AlertType> = (typeof REASONS)[T][number];

export const SEVERITIES = ['info', 'warning', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Who or what an alert is about. Members that do not apply are null; what the subject is under is filled in. */
export interface Subject {
  acquirer: string | null;
  merchant: string | null;
  site: string | null;
  terminal: string | null;
  operator: string | null;
  cell: string | null;
  app: string | null;
  card: string | null;
  kind: string | null;
  class: string | null;
}

/** One observation that the alert stands on, at epoch milliseconds `at`. */
export interface Evidence {
  what: string;
  value: number | string | boolean | null;
  limit?: number;
  at: number;
}

export interface Prediction {
  at: number;
  earliest: number;
  latest: number;
}

/** All times are epoch milliseconds. `seq` counts the transitions of this alert, from 1. */
export interface Alert {
  id: string;
  type: AlertType;
  severity: Severity;
  state: 'firing' | 'resolved';
  acknowledgedBy: string | null;
  assignee: string | null;
  silencedBy: string | null;
  subject: Subject;
  reason: Reason;
  cause: string;
  confidence: number;
  evidence: Evidence[];
  remedy: string[];
  predicted: Prediction | null;
  count: number;
  members: string[];
  startsAt: number;
  updatedAt: number;
  endsAt: number | null;
  seq: number;
}

export const TRANSITIONS = ['fired', 'updated', 'resolved'] as const;

export interface Transition {
  at: number;
  transition: (typeof TRANSITIONS)[number];
  alert: Alert;
}
