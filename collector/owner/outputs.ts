/** What the fold said and is not on disk yet: it is committed together with the state that said it. */

import type { Offset } from '../../backbone/log.ts';
import type { Change } from '../../backbone/state.ts';
import type { RefusalEntry } from '../../protocol/entries.ts';
import { type TerminalId, terminalKey } from '../../protocol/topics.ts';
import type { CommandRecord } from '../../watch/fleet/commands.ts';
import type { Order, Output } from '../../watch/fold/output.ts';
import type { ReceivedMessage } from '../log/entries.ts';
import { newestFirst, numberKey, toBytes } from '../rows.ts';
import { type OutboxRow, packs } from './outbox.ts';

/** The tables that the collector keeps beside the fold's own. */
export const ALERT_LOG = 'alert-log';
export const ALERT_IDS = 'alert-ids';
/** The keys of resolved alerts in the log, in the order of their ends. */
export const ALERT_ENDS = 'alert-ends';
/** Commands by their terminals, the newest first; and the keys of those that have an outcome, in the order in which they got it. */
export const COMMAND_LOG = 'command-log';
export const COMMAND_ENDS = 'command-ends';
export const QUARANTINE = 'quarantine';

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

/** What the keys of a terminal's commands begin with, and no other's do. */
export function commandPrefix(terminal: TerminalId): string {
  return `${terminalKey(terminal)}/`;
}

export function commandKey({ at, command, ...terminal }: Readonly<CommandRecord>): string {
  return commandPrefix(terminal) + newestFirst(at, command.id);
}

/** An order as it was given. */
export type GivenOrder = Order & { at: number };

export class Outputs {
  #changes: Change[] = [];
  /** Rows of the outbox, as JSON. */
  #rows: string[] = [];
  /** By terminal and command: one that was given more than once, as in a backlog, is sent once. */
  #orders = new Map<string, GivenOrder>();
  /** The number of the last outbox row. */
  sequence: number;
  /** Whether somebody waits to be told. */
  urgent = false;

  constructor(sequence: number) {
    this.sequence = sequence;
  }

  add({ transitions, rows, commands, orders }: Output, at: number): void {
    for (const transition of transitions) {
      this.urgent = true;
      this.#outbox({ kind: 'transition', ...transition });
      const key = newestFirst(transition.alert.startsAt, transition.alert.id);
      this.#changes.push({ table: ALERT_LOG, key, value: toBytes(transition.alert) });
      const { id, endsAt } = transition.alert;
      if (transition.transition === 'fired') this.#changes.push({ table: ALERT_IDS, key: id, value: Buffer.from(key) });
      if (endsAt !== null) this.#changes.push({ table: ALERT_ENDS, key: `${numberKey(endsAt)}.${id}`, value: Buffer.from(key) });
    }
    for (const row of rows) this.#outbox({ kind: 'row', row });
    for (const record of commands) this.#command(record);
    for (const order of orders) this.#orders.set(commandPrefix(order) + order.command.id, { ...order, at });
  }

  /** Rows of others', to be committed with what was said. */
  keep(changes: readonly Change[]): void {
    this.#changes.push(...changes);
  }

  /** Everything so far, to be committed at once; what comes after it is the next commit's. */
  take(): { changes: Change[]; orders: GivenOrder[]; sequence: number } {
    const changes = [...this.#changes, ...packs(this.#rows, this.sequence)];
    const taken = { changes, orders: [...this.#orders.values()], sequence: this.sequence };
    this.#changes = [];
    this.#rows = [];
    this.#orders = new Map();
    this.urgent = false;
    return taken;
  }

  #command(record: CommandRecord): void {
    this.urgent = true;
    const key = commandKey(record);
    this.#changes.push({ table: COMMAND_LOG, key, value: toBytes(record) });
    const { endedAt, command } = record;
    if (endedAt !== null) this.#changes.push({ table: COMMAND_ENDS, key: `${numberKey(endedAt)}.${command.id}`, value: Buffer.from(key) });
  }

  #outbox(row: OutboxRow): void {
    this.#rows.push(JSON.stringify(row));
    this.sequence++;
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
