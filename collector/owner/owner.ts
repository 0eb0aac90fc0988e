/**
 * The owner of the partition: reads the brokers' log, appends what only it may say (ticks, platform states, the registry) to a log of
 * its own, folds both through the watch in one order, and saves. What it appends is durable before it is folded, and what it says is
 * committed with the state that said it.
 */
import type { LogReader, LogWriter, Offset } from '../../backbone/log.ts';
import type { StateStore } from '../../backbone/state.ts';
import type { OwnerEntry, ReplayedMessage } from '../../protocol/entries.ts';
import { lineFromEntry } from '../../protocol/replay.ts';
import type { Output } from '../../watch/fold/output.ts';
import { Watch } from '../../watch/fold/watch.ts';
import { Bell } from '../bell.ts';
import { follow } from '../follow.ts';
import { type BrokerEntry, decodeBrokerRecord, encodeOwnerRecord, isOwnerEntry } from '../log/entries.ts';
import { Follower } from '../log/follower.ts';
import { type Position, positionFromText } from '../log/position.ts';
import type { Patience } from '../patience.ts';
import { Snapshot } from '../snapshot.ts';
import { Turns } from '../turns.ts';
import type { OutboxReader } from './outbox.ts';
import { type GivenOrder, Outputs, quarantinedFrom } from './outputs.ts';
import { partsToSay, type Seen, unreadMs } from './parts.ts';
import { nextTick, noteHeartbeat, notePlatformEntry, noteSilence, type Pulse, pulseTime } from './pulse.ts';
import { Quarantine } from './quarantine.ts';
import { loadSaved, Saver } from './saver.ts';

/** Entries folded before requests are looked at. */
const SLICE_ENTRIES = 500;
/** Records of one append: a large import goes in parts, and its commit entry closes it. */
const APPEND_ENTRIES = 1_000;
const IDLE_MS = 250;
const TICK_MS = 1_000;

export interface OwnerDeps {
  brokersLog: LogReader;
  ownerLog: { writer: LogWriter; reader: LogReader };
  state: StateStore;
  /** How long quarantine keeps what it has, milliseconds. */
  quarantineMs: number;
  clock: Clock;
  /** Waits with what cannot be written for the moment. */
  patience: Patience;
  /** What comes so soon after what woke it is folded together with it: to begin costs as much as some dozens of reports. Milliseconds. */
  gatherMs: number;
  /** Has an order sent to its terminal, where that is connected; one that is lost is given again. */
  send(order: GivenOrder): Promise<void>;
  /** What others see of our own parts. */
  look(): Omit<Seen, 'unreadMs'>;
  /** Told of each entry as it is folded, as a line of the replay format. */
  record?: ((line: string) => void) | undefined;
}

/** `now`: epoch milliseconds; `monotonic`: milliseconds that never step; `sleep` ends early when the signal aborts. */
export interface Clock {
  now(): number;
  monotonic(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

interface Request {
  entries(at: number): OwnerEntry[];
  done(): void;
  failed(error: unknown): void;
}

export class Owner {
  readonly watch = new Watch();
  readonly quarantine: Quarantine;
  readonly #deps: OwnerDeps;
  readonly #logs: Follower;
  readonly #pulse: Pulse;
  readonly #heardAt = new Map<string, number>();
  readonly #outputs: Outputs;
  readonly #inbox: Request[] = [];
  readonly #requests = new Bell();
  readonly #saver: Saver;
  readonly #turns: Turns;
  readonly #stopping = new AbortController();
  /** When the last tick was appended, by our monotonic clock. */
  #tickedAt = Number.NEGATIVE_INFINITY;
  /** When our parts were last looked at, by our monotonic clock. */
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** Loads the last save; `catchUp` reads on from there. */
  constructor(deps: OwnerDeps) {
    this.#deps = deps;
    const saved = loadSaved(deps.state);
    this.#logs = new Follower(deps.brokersLog, deps.ownerLog.reader, positionFromText(saved.position));
    this.#pulse = saved.pulse;
    this.#outputs = new Outputs(saved.sequence);
    this.quarantine = new Quarantine(deps.state, deps.quarantineMs, saved.quarantined);
    this.#turns = new Turns(deps.clock.monotonic);
    const snapshot = new Snapshot(deps.state, this.watch.tables);
    this.watch.load(snapshot.rows());
    this.#saver = this.#newSaver(snapshot);
  }

  /** For metrics: how far the brokers' log has been folded. */
  get position(): Position {
    return this.#logs.position;
  }

  /** Folds what this partition's owner had appended before: after it, the order of new entries is this owner's to say. */
  async catchUp(): Promise<void> {
    await this.#saver.release(this.#logs.position);
    for (let item = await this.#logs.next(); item; item = await this.#logs.next()) {
      if (this.#turns.isOver()) await this.#turns.next();
      if (isOwnerEntry(item.entry)) {
        if (item.entry.kind === 'platform') notePlatformEntry(this.#pulse, item.entry);
        this.#fold(item.entry);
      } else {
        if (item.entry.kind === 'heartbeat') noteHeartbeat(this.#pulse, item.entry, this.watch.now);
        this.#foldBroker(item.entry, item.offset);
      }
      this.#saver.saveIfDue();
    }
    for (const [node, { at }] of Object.entries(this.#pulse)) this.#hear(node, at);
  }

  /**
   * Runs until the signal aborts, then saves. Waits while a log or the state cannot be written for the moment; rejects where they cannot
   * be used any more, or not by the time that it is to stop.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = () => this.#stopping.abort();
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      await this.#takeRequests();
      await this.#lookAtParts();
      const read = await this.#readBrokers();
      if (!read) await this.#keepTime();
      this.#saver.saveIfDue();
      if (!read && this.#inbox.length === 0) await this.#idle(signal);
    }
    await this.#takeRequests();
    await this.#saver.saveLast();
  }

  /**
   * Appends entries, stamped with the time they are given; resolves when they are durable and folded. Errors: a LogError where the log
   * takes none for the moment: who asked decides whether to ask again.
   */
  submit(entries: (at: number) => OwnerEntry[]): Promise<void> {
    return new Promise((done, failed) => {
      this.#inbox.push({ entries, done, failed });
      this.#requests.ring();
    });
  }

  /** Says that a reader of the outbox has no more need of its rows up to this number. */
  outboxRead(reader: OutboxReader, sequence: number): void {
    this.#saver.outboxRead(reader, sequence);
  }

  /** Resolves when the next save is durable, or the signal aborts. */
  saved(signal: AbortSignal): Promise<void> {
    return this.#saver.saved(signal);
  }

  async #takeRequests(): Promise<void> {
    if (this.#inbox.length > 0) await this.#readToPresent();
    for (let request = this.#inbox.shift(); request; request = this.#inbox.shift()) {
      try {
        await this.#append(request.entries(this.#requestTime()), (records) => this.#deps.ownerLog.writer.append(records));
        request.done();
      } catch (error) {
        request.failed(error);
      }
    }
  }

  /** Amid a backlog a request would be stamped with a time long past, and reports from before it would count as after. */
  async #readToPresent(): Promise<void> {
    const end = await this.#deps.brokersLog.end();
    while (this.#logs.brokers.next.batch <= end && (await this.#readBrokers())) this.#saver.saveIfDue();
    await this.#noteSilence();
  }

  /** Now, but never ahead of what the heartbeats allow, nor back. */
  #requestTime(): number {
    const limit = pulseTime(this.#pulse);
    const now = Math.round(this.#deps.clock.now());
    return Math.max(this.watch.now, limit === undefined ? now : Math.min(now, limit + TICK_MS));
  }

  /** Folds what the brokers' log has, up to a slice of it. False where there was nothing. */
  async #readBrokers(): Promise<boolean> {
    const { brokers } = this.#logs;
    for (let n = 0; n < SLICE_ENTRIES; n++) {
      const bytes = await brokers.peek();
      if (!bytes) return n > 0;
      if (this.#turns.isOver()) await this.#turns.next();
      const entry = decodeBrokerRecord(bytes);
      const offset = brokers.next;
      if (entry.kind === 'heartbeat') {
        this.#hear(entry.node, entry.at);
        await this.#appendOwn(noteHeartbeat(this.#pulse, entry, this.watch.now));
      }
      brokers.advance();
      this.#foldBroker(entry, offset);
      if (entry.kind === 'heartbeat') await this.#tick(brokers.peekLoaded() === undefined);
    }
    return true;
  }

  /** With nothing to read, time is our own where no broker keeps it; a broker that fell silent is said to be down first. */
  async #keepTime(): Promise<void> {
    await this.#noteSilence();
    if (pulseTime(this.#pulse) === undefined && this.#sinceTick() >= TICK_MS) await this.#appendTick(Math.round(this.#deps.clock.now()));
  }

  /** Once a second: what is not well is said at the time to which the watch has come. */
  async #lookAtParts(): Promise<void> {
    const { watch } = this;
    const { clock, look, brokersLog } = this.#deps;
    if (watch.now === 0 || clock.monotonic() - this.#lookedAt < TICK_MS) return;
    this.#lookedAt = clock.monotonic();
    const seen = { ...look(), unreadMs: await unreadMs(brokersLog, this.#logs.brokers) };
    const said = partsToSay(seen, (part) => watch.isDown(part), watch.rules['platform.blind']);
    await this.#appendOwn(said.map((platform) => ({ kind: 'platform', at: watch.now, platform })));
  }

  /** A heartbeat may be read long after it came. */
  #hear(node: string, at: number): void {
    const { clock } = this.#deps;
    this.#heardAt.set(node, clock.monotonic() - Math.max(0, clock.now() - at));
  }

  async #noteSilence(): Promise<void> {
    const elapsed = (node: string) => this.#deps.clock.monotonic() - (this.#heardAt.get(node) ?? Number.NEGATIVE_INFINITY);
    await this.#appendOwn(noteSilence(this.#pulse, elapsed, this.watch.now));
  }

  /** A tick for each heartbeat, or, while a backlog is read, for each second of ours: followers get no further than the last tick. */
  async #tick(atEnd: boolean): Promise<void> {
    if (!atEnd && this.#sinceTick() < TICK_MS) return;
    const at = nextTick(this.#pulse, this.watch.now, this.#sinceTick());
    if (at !== undefined) await this.#appendTick(at);
  }

  #sinceTick(): number {
    return this.#deps.clock.monotonic() - this.#tickedAt;
  }

  async #appendTick(at: number): Promise<void> {
    this.#tickedAt = this.#deps.clock.monotonic();
    await this.#appendOwn([{ kind: 'tick', at }]);
  }

  /** What only the owner can say has to be said: it waits until the log takes it. Whoever asks for something meanwhile is told why not. */
  #appendOwn(entries: OwnerEntry[]): Promise<void> {
    const { writer } = this.#deps.ownerLog;
    const refuse = (error: Error) => {
      for (const request of this.#inbox.splice(0)) request.failed(error);
    };
    return this.#append(entries, (records) => this.#outlast(() => writer.append(records), refuse));
  }

  #outlast<T>(attempt: () => Promise<T>, onWait?: (error: Error) => void): Promise<T> {
    return this.#deps.patience.outlast(attempt, this.#stopping.signal, onWait);
  }

  async #append(entries: OwnerEntry[], append: (records: Uint8Array[]) => Promise<Offset>): Promise<void> {
    for (let from = 0; from < entries.length; from += APPEND_ENTRIES) {
      const part = entries.slice(from, from + APPEND_ENTRIES);
      const before = this.#logs.brokers.next;
      const offset = await append(part.map((entry) => encodeOwnerRecord({ before, entry })));
      this.#logs.owner.skipTo({ batch: offset.batch, index: offset.index + part.length });
      for (const entry of part) this.#fold(entry);
    }
  }

  #foldBroker(entry: BrokerEntry, offset: Offset): void {
    const { bad } = this.#fold(entry);
    const row = entry.kind === 'heartbeat' ? null : quarantinedFrom(entry, offset, bad);
    if (row) this.#outputs.keep(this.quarantine.add(row, row.raw === null ? 'refusal' : 'message'));
  }

  #fold(entry: BrokerEntry | OwnerEntry): Output {
    // Heartbeats are in the record as the ticks that follow them; refusals are nobody's life.
    if (this.#deps.record && entry.kind !== 'heartbeat' && entry.kind !== 'refusal') this.#deps.record(lineFromEntry(entry));
    const output = this.watch.step(entry);
    this.#saver.folded();
    this.#outputs.add(output, this.watch.now);
    if (entry.kind === 'message' && entry.replayed) this.#endReplay(entry as ReplayedMessage, output.bad);
    return output;
  }

  /** The row leaves quarantine; what could not be taken even so comes to it anew. */
  #endReplay({ at, decoded, replayed: { id } }: ReplayedMessage, bad: Output['bad']): void {
    const row = id === undefined ? undefined : this.quarantine.find(id);
    if (!row) return;
    this.#outputs.keep(this.quarantine.leave(row.id, at));
    const problem = decoded.ok ? bad : decoded;
    if (!problem) return;
    const { reason, detail } = problem;
    this.#outputs.keep(this.quarantine.add({ ...row, id: `${row.id}-again`, reason, detail }, 'message', at));
  }

  #newSaver(snapshot: Snapshot): Saver {
    const deps = {
      ...this.#deps,
      outlast: <T>(attempt: () => Promise<T>) => this.#outlast(attempt),
      onFailure: () => this.#requests.ring(),
    };
    const { watch, quarantine } = this;
    return new Saver(deps, { watch, snapshot, quarantine, outputs: this.#outputs, pulse: this.#pulse, position: () => this.position });
  }

  async #idle(signal: AbortSignal): Promise<void> {
    const { clock, gatherMs } = this.#deps;
    const { signal: until, end } = follow(signal);
    const gathered = this.#logs.brokers.grown(until).then(() => clock.sleep(gatherMs, until));
    await Promise.race([gathered, clock.sleep(IDLE_MS, until), this.#requests.heard(until)]);
    end();
  }
}
