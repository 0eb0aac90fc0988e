import type { Evidence, Prediction, Reason, Severity } from '../../protocol/alerts.ts';

/** What a rule found to be wrong. */
export interface Condition {
  severity: Severity;
  reason: Reason;
  cause: string;
  /** How sure the cause is, 0–1. */
  confidence: number;
  evidence: Evidence[];
  predicted: Prediction | null;
  /** Of a grouped alert: how many it is about, and the first of them. */
  count?: number;
  members?: string[];
}

/** A rule's decision: the condition that holds, or null; and in either case why, in one word from the rule's own list. */
export interface Verdict {
  why: string;
  condition: Condition | null;
  /** Where an alert ends by this: what its end stands on. */
  closing?: Evidence[];
}
