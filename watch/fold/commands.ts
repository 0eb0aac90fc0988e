/** The part of the fold that follows commands: when they are sent to their terminals, and what came of them. */
import type { CommandEntry } from '../../protocol/entries.ts';
import type { Ack } from '../../protocol/schemas/messages.ts';
import { terminalKey } from '../../protocol/topics.ts';
import { acknowledge, type CommandRecord, type Commands, expire, isOpen, newRecord, nextAt, resendAt } from '../fleet/commands.ts';
import { isConnected, type Terminal } from '../fleet/terminals.ts';
import type { FoldCore } from './core.ts';
import type { News, TerminalWatch } from './terminals.ts';

export class TerminalCommands implements TerminalWatch {
  readonly duties = { commands: (key: string) => this.#due(key) };
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  /** Sets the deadlines of the commands that were loaded. */
  loadAll(): void {
    for (const commands of this.#core.state.commands.values()) this.#schedule(terminalKey(commands), commands);
  }

  heard(_: Terminal, key: string, { facts: { life, message, note } }: News): void {
    if (message?.channel === 'ack') this.#acked(key, message.body);
    if (life && message?.channel === 'birth' && note?.current) this.#born(key);
    else if (life) this.#heardOf(key);
  }

  /** Of a terminal that is connected it is sent at once. An id that is known already is the same command. */
  give({ acquirer, sn, command }: CommandEntry): void {
    const { state, now } = this.#core;
    const key = terminalKey({ acquirer, sn });
    const commands = state.commands.change(key) ?? state.commands.set(key, { acquirer, sn, list: [] });
    if (commands.list.some((other) => other.command.id === command.id)) return;
    const record = newRecord({ acquirer, sn }, command, now);
    commands.list.push(record);
    this.#core.count('command', 'given');
    if (this.#isConnected(key) && command.expires > now) this.#send(record);
    else this.#core.tellCommand(record);
    this.#settle(key, commands);
  }

  /** A terminal was heard, so it may be connected again: what was sent before is due again at its time. */
  #heardOf(key: string): void {
    const commands = this.#core.state.commands.get(key);
    if (commands) this.#schedule(key, commands);
  }

  /** Its birth says that it listens: all that has no outcome is sent. */
  #born(key: string): void {
    const commands = this.#core.state.commands.change(key);
    if (!commands) return;
    for (const record of commands.list) record.tries = 0;
    this.#settle(key, commands, true);
  }

  #acked(key: string, ack: Ack): void {
    const commands = this.#core.state.commands.change(key);
    if (commands) this.#expire(commands);
    const record = commands && acknowledge(commands, ack, this.#core.now);
    this.#core.count('command', record ? (record.lateAck ? 'late_ack' : record.state) : 'unknown_ack');
    if (!record) return;
    this.#core.tellCommand(record);
    this.#settle(key, commands);
  }

  #due(key: string): void {
    this.#settle(key, this.#core.state.commands.change(key)!);
  }

  /** Ends what has expired, sends what is to be sent by now, and drops the row where nothing is left in it. */
  #settle(key: string, commands: Commands, all = false): void {
    const { state, now } = this.#core;
    this.#expire(commands);
    const connected = this.#isConnected(key);
    for (const record of commands.list) if (isOpen(record) && (all || (connected && resendAt(record) <= now))) this.#send(record);
    if (commands.list.length === 0) state.commands.delete(key);
    this.#schedule(key, commands);
  }

  #expire(commands: Commands): void {
    for (const record of expire(commands, this.#core.now)) {
      this.#core.count('command', 'expired');
      this.#core.tellCommand(record);
    }
  }

  #send(record: CommandRecord): void {
    const { now } = this.#core;
    Object.assign(record, { state: 'sent', sentAt: now, tries: record.tries + 1 });
    this.#core.order(record, record.command);
    this.#core.tellCommand(record);
  }

  #schedule(key: string, commands: Readonly<Commands>): void {
    this.#core.wheel.set('commands', key, nextAt(commands, this.#isConnected(key)));
  }

  #isConnected(key: string): boolean {
    const terminal = this.#core.state.terminals.get(key);
    return terminal !== undefined && isConnected(terminal);
  }
}
