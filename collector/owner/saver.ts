/**
 * Saves what the owner has come to: the fold's state, the position in the logs and all that was said, as they are at one moment and in one
 * commit. It is written in slices while the fold goes on.
 */
import type { LogReader } from '../../backbone/log.ts';
import type { Change, StateStore } from '../../backbone/state.ts';
import type { Watch } from '../../watch/fold/watch.ts';
import { Bell } from '../bell.ts';
import { type Position, positionToText, START } from '../log/position.ts';
import { release } from '../log/release.ts';
import { fromBytes, toBytes } from '../rows.ts';
import { stageChanges } from '../saves.ts';
import type { Snapshot } from '../snapshot.ts';
import { pruneAlerts, pruneCommands } from './keeping.ts';
import { OUTBOX_READERS, type OutboxReader, removals } from './outbox.ts';
import type { GivenOrder, Outputs } from './outputs.ts';
import type { Pulse } from './pulse.ts';
import { noTallies, type Quarantine, type Tallies } from './quarantine.ts';

const SAVE_EVERY_MS = 5_000;
/** What somebody waits for is saved at once after a calm, and else so long after the save before: each writes all that changed since. */
const SAVE_SOON_MS = 1_000;
/** Where saves are long, the next waits for so many times what the last one took, lest a large fleet be saved all the time. */
const SAVE_SHARE = 20;
const SAVE_EVERY_ENTRIES = 50_000;
const OWNER_TABLE = 'owner';
const CONSUMER = 'watch';

/** What a save holds beside the fold's rows. */
interface Saved {
  position: string;
  pulse: Pulse;
  sequence: number;
  quarantined: Tallies;
}

export function loadSaved(state: StateStore): Saved {
  const bytes = state.get(OWNER_TABLE, CONSUMER);
  return bytes ? fromBytes<Saved>(bytes) : { position: positionToText(START), pulse: {}, sequence: 0, quarantined: noTallies() };
}

export interface SaverDeps {
  brokersLog: LogReader;
  ownerLog: { reader: LogReader };
  state: StateStore;
  /** Milliseconds that never step. */
  clock: { monotonic(): number };
  send(order: GivenOrder): Promise<void>;
  /** Tries until it succeeds, where it can. */
  outlast<T>(attempt: () => Promise<T>): Promise<T>;
  /** Told when a save that went on beside the fold has failed. */
  onFailure(): void;
}

/** What it saves. */
export interface Subject {
  readonly watch: Watch;
  readonly snapshot: Snapshot;
  readonly outputs: Outputs;
  readonly quarantine: Quarantine;
  readonly pulse: Readonly<Pulse>;
  /** How far the logs have been folded. */
  position(): Position;
}

export class Saver {
  readonly #deps: SaverDeps;
  readonly #subject: Subject;
  readonly #saves = new Bell();
  /** The last row of the outbox that each reader has no more need of. */
  readonly #outboxRead = Object.fromEntries(OUTBOX_READERS.map((reader) => [reader, 0])) as Record<OutboxReader, number>;
  #savedAt: number;
  /** How long the last save took. */
  #tookMs = 0;
  #foldedSince = 0;
  #saving: Promise<void> | null = null;
  /** Why the save that went on beside the fold failed; the next look throws it. */
  #failure: unknown = null;

  constructor(deps: SaverDeps, subject: Subject) {
    this.#deps = deps;
    this.#subject = subject;
    this.#savedAt = deps.clock.monotonic();
  }

  /** Says that an entry was folded. */
  folded(): void {
    this.#foldedSince++;
  }

  /** Says that a reader of the outbox has no more need of its rows up to this number. */
  outboxRead(reader: OutboxReader, sequence: number): void {
    this.#outboxRead[reader] = Math.max(this.#outboxRead[reader], sequence);
  }

  /** Resolves when the next save is durable, or the signal aborts. */
  saved(signal: AbortSignal): Promise<void> {
    return this.#saves.heard(signal);
  }

  /** Begins a save where one is due. Errors: why the last one failed. */
  saveIfDue(): void {
    if (this.#failure) throw this.#failure;
    if (this.#saving || !this.#isDue()) return;
    this.#saving = this.#save().then(
      () => {
        this.#saving = null;
      },
      (error) => {
        this.#failure = error;
        this.#deps.onFailure();
      },
    );
  }

  /** Saves what is left, once the save under way has ended. Errors: why either of them failed. */
  async saveLast(): Promise<void> {
    await this.#saving;
    if (this.#failure) throw this.#failure;
    await this.#save();
  }

  /** Says that what is before a saved position is needed no more. */
  release(position: Position): Promise<void> {
    const { brokersLog, ownerLog } = this.#deps;
    return release(brokersLog, ownerLog.reader, CONSUMER, position);
  }

  #isDue(): boolean {
    const waitedMs = this.#deps.clock.monotonic() - this.#savedAt;
    if (waitedMs >= SAVE_EVERY_MS && this.#foldedSince > 0) return true;
    const soonMs = Math.max(SAVE_SOON_MS, SAVE_SHARE * this.#tookMs);
    return this.#foldedSince >= SAVE_EVERY_ENTRIES || (this.#subject.outputs.urgent && waitedMs >= soonMs);
  }

  async #save(): Promise<void> {
    const { state, outlast, send } = this.#deps;
    const { watch, snapshot, outputs, quarantine, pulse } = this.#subject;
    const position = this.#subject.position();
    snapshot.renew();
    watch.beginSave();
    const { changes, orders, sequence } = outputs.take();
    const done = Math.min(...Object.values(this.#outboxRead));
    const pruned = [
      ...removals(state, done),
      ...quarantine.prune(watch.now),
      ...pruneAlerts(state, watch.now),
      ...pruneCommands(state, watch.now),
    ];
    const saved: Saved = { position: positionToText(position), pulse, sequence, quarantined: quarantine.tallies };
    // As it is now: the fold goes on while the rest is staged.
    const bytes = toBytes(saved);
    this.#savedAt = this.#deps.clock.monotonic();
    this.#foldedSince = 0;
    const stage = (slice: readonly Change[]) => outlast(() => state.stage(slice));
    await snapshot.stage(stage);
    await stageChanges(stage, [...changes, ...pruned]);
    await outlast(() => state.commit([{ table: OWNER_TABLE, key: CONSUMER, value: bytes }]));
    this.#tookMs = this.#deps.clock.monotonic() - this.#savedAt;
    this.#saves.ring();
    await this.release(position);
    await Promise.all(orders.map((order) => outlast(() => send(order))));
  }
}
