import type { Transition } from '../../protocol/alerts.ts';
import type { QuarantineReason } from '../../protocol/codec/decoded.ts';
import type { TerminalId } from '../../protocol/topics.ts';

/** A terminal's presence, on change and each hour. */
export interface PresenceRow {
  measurement: 'presence';
  at: number;
  acquirer: string;
  merchant: string | null;
  site: string | null;
  sn: string;
  state: string;
  expected: boolean;
}

/** A merchant's headroom, on change and each day. `limit` and `headroom` are null where there is no limit. */
export interface MerchantUse {
  measurement: 'merchant';
  at: number;
  acquirer: string;
  merchant: string;
  limit: number | null;
  held: number;
  pending: number;
  reclaimable: number;
  headroom: number | null;
}

export type WatchRow = PresenceRow | MerchantUse;

/** What one step of the fold says to the world. */
export interface Output {
  transitions: Transition[];
  rows: WatchRow[];
  /** Terminals to be asked for a birth. */
  rebirths: TerminalId[];
  /** Why part of the entry's message could not be taken, for quarantine; null where all of it was. */
  bad: { reason: QuarantineReason; detail: string } | null;
}

export function newOutput(): Output {
  return { transitions: [], rows: [], rebirths: [], bad: null };
}

/** Counts of decisions by rule and reason: every decision, to announce or not to, has one. */
export type Decisions = Map<string, number>;
