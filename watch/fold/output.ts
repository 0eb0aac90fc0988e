import type { Transition } from '../../protocol/alerts.ts';
import type { QuarantineReason } from '../../protocol/codec/decoded.ts';
import type { Command } from '../../protocol/schemas/messages.ts';
import type { TerminalId } from '../../protocol/topics.ts';
import type { CommandRecord } from '../fleet/commands.ts';

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
  /** Commands of operators, as they are now where something of them changed. */
  commands: CommandRecord[];
  /** What is to be sent to terminals that are connected: such commands, and requests for a birth. Sending one again does no harm. */
  orders: Order[];
  /** Why part of the entry's message could not be taken, for quarantine; null where all of it was. */
  bad: { reason: QuarantineReason; detail: string } | null;
}

export interface Order extends TerminalId {
  command: Command;
}

export function newOutput(): Output {
  return { transitions: [], rows: [], commands: [], orders: [], bad: null };
}

/** Counts of decisions by rule and reason: every decision, to announce or not to, has one. */
export type Decisions = Map<string, number>;
