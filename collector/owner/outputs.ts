/** What the fold said and is not on disk yet: it is committed together with the state that said it. */

import type { Offset } from '../../backbone/log.ts';
import type { Change } from '../../backbone/state.ts';
import type { Alert } from '../../protocol/alerts.ts';
import type { RefusalEntry } from '../../protocol/entries.ts';
import type { TerminalId } from '../../protocol/topics.ts';
import type { Output, WatchRow } from '../../watch/fold/output.ts';
import type { ReceivedMessage } from '../log/entries.ts';

/** The tables that the collector keeps beside the fold's own. */
export const OUTBOX = 'outbox';
/** Who reads the outbox: a row is kept until all of them have. */
export const OUTBOX_READERS = ['feed', 'webhooks'] as const;
export type OutboxReader = (typeof OUTBOX_READERS)[number];
export const ALERT_LOG = 'alert-log';
export const ALERT_IDS = 'alert-ids';
/** The keys of resolved alerts in the log, in the order of their ends. */
export const ALERT_ENDS = 'alert-ends';
export const QUARANTINE = 'quarantine';

/** One row for the store, in the order of the outbox. */
export type OutboxRow = { kind: 'transition'; at: number; transition: string; alert: Alert } | { kind: 'row'; row: WatchRow };

/** Something that was not taken in, with its sender, its reason and (where there were any) its bytes. */
export interface Quarantined {
  id: string;
  at: number;
  node: string;
  from: string;
  channel: string | null;
  reason: string;
  detail: string;
  /** base64; null for what the broker refused, and so never had. */
  raw: string | null;
}

const encoder = new TextEncoder();

export function toBytes(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

export function fromBytes<T>(bytes: Uint8Array): T {
  return JSON.parse(new TextDecoder().decode(bytes));
}

/** A key that sorts as its number does. */
export function numberKey(n: number): string {
  return String(n).padStart(15, '0');
}

/** A key under which the newest comes first. */
export function newestFirst(at: number, id: string): string {
  return `${numberKey(999_999_999_999_999 - at)}.${id}`;
}

export class Outputs {
  #changes: Change[] = [];
  #rebirths: (TerminalId & { at: number })[] = [];
  /** The number of the last outbox row. */
  sequence: number;
  /** Whether somebody waits to be told. */
  urgent = false;

  constructor(sequence: number) {
    this.sequence = sequence;
  }

  add({ transitions, rows, rebirths }: Output, at: number): void {
    for (const transition of transitions) {
      this.urgent = true;
      this.#outbox({ kind: 'transition', ...transition });
      const key = newestFirst(transition.alert.startsAt, transition.alert.id);
      this.#changes.push({ table: ALERT_LOG, key, value: toBytes(transition.alert) });
      this.#changes.push({ table: ALERT_IDS, key: transition.alert.id, value: encoder.encode(key) });
      const { id, endsAt } = transition.alert;
      if (endsAt !== null) this.#changes.push({ table: ALERT_ENDS, key: `${numberKey(endsAt)}.${id}`, value: encoder.encode(key) });
    }
    for (const row of rows) this.#outbox({ kind: 'row', row });
    for (const terminal of rebirths) this.#rebirths.push({ ...terminal, at });
  }

  /** Rows of others', to be committed with what was said. */
  keep(changes: readonly Change[]): void {
    this.#changes.push(...changes);
  }

  /** Everything so far, to be committed at once; what comes after it is the next commit's. */
  take(): { changes: Change[]; rebirths: (TerminalId & { at: number })[]; sequence: number } {
    const taken = { changes: this.#changes, rebirths: this.#rebirths, sequence: this.sequence };
    this.#changes = [];
    this.#rebirths = [];
    this.urgent = false;
    return taken;
  }

  #outbox(row: OutboxRow): void {
    this.#changes.push({ table: OUTBOX, key: numberKey(++this.sequence), value: toBytes(row) });
  }
}

/** What is kept of an entry that cannot be taken in; null where it can. `bad`: why part of a message that could be read was not taken. */
export function quarantinedFrom(entry: ReceivedMessage | RefusalEntry, offset: Offset, bad: Output['bad']): Quarantined | null {
  const id = `${offset.batch}-${offset.index}`;
  if (entry.kind === 'refusal') {
    const { at, node, user, reason, detail } = entry;
    return { id, at, node, from: user, channel: null, reason, detail, raw: null };
  }
  const { at, node, acquirer, sn, channel, decoded, raw } = entry;
  const problem = decoded.ok ? bad : decoded;
  if (!problem) return null;
  const { reason, detail } = problem;
  return { id, at, node, from: `${acquirer}/${sn}`, channel, reason, detail, raw: Buffer.from(raw).toString('base64') };
}
