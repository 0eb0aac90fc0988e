import type { Ack } from '../protocol/schemas/messages.ts';
import type { Sample } from '../protocol/schemas/sample.ts';
import { AgentError, briefly } from './errors.ts';
import { payloadOf, reportMessages, type SessionCount } from './messages.ts';
import type { Message, Outbox } from './outbox.ts';
import type { Probe } from './probes/probe.ts';
import type { Timers } from './timers.ts';

/** Samples in one report. */
const MAX_REPORT_SAMPLES = 300;
/** While the outbox cannot be written, at most this many messages are kept in memory; then the oldest are dropped. */
const MAX_UNSAVED_MESSAGES = 100;
/** A recorded probe is not read while this part of the outbox is full. */
const FULL_ENOUGH = 0.25;

export interface IntakeOptions {
  probe: Probe;
  outbox: Outbox;
  /** The first session: it has ended before it connected. */
  session: string;
  intervalSeconds: number;
  now: () => number;
  timers: Timers;
  log: (line: string) => void;
  /** Something new is in the outbox. */
  onStored: () => void;
}

/**
 * Reads the probe when it is due, and puts what it told into the outbox: one report at once, then one each interval, or as soon as it is
 * full.
 */
export class Intake {
  /** Resolves when the probe has nothing more to tell and all that it told is in the outbox; rejects where the probe failed. */
  readonly done: Promise<void>;
  #options: IntakeOptions;
  #count: SessionCount;
  #samples: Sample[] = [];
  #unsaved: Message[] = [];
  #previous: Promise<void> = Promise.resolve();
  #isTurning = false;
  #cancelTurn = () => {};
  /** Set while the interval since the last report has not passed. */
  #cancelRest: (() => void) | null = null;
  #stopped = true;
  #settle!: { resolve: () => void; reject: (error: unknown) => void };

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#count = { session: options.session, seq: 0 };
    this.done = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.done.catch(() => {});
  }

  /**
   * A new session begins: what was sampled before goes to the one that ends. Returns the id of the last message of all older sessions.
   */
  begin(session: string): number {
    void this.#flush();
    this.#count = { session, seq: 0 };
    return this.#options.outbox.lastId;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  /** There may be room in the outbox again. */
  wake(): void {
    if (this.#stopped || this.#isTurning) return;
    this.#isTurning = true;
    void this.#exclusively(async () => {
      const waitMs = await this.#turn();
      this.#isTurning = false;
      this.#schedule(waitMs);
    });
  }

  /** Reads the probe now, due or not, and resolves when what there was is in the outbox. */
  reportNow(): Promise<void> {
    return this.#exclusively(async () => {
      await this.#read();
      await this.#flush();
    });
  }

  /** Resolves when the answer to a command is in the outbox. */
  answer(ack: Ack): Promise<void> {
    return this.#store([{ session: this.#count.session, seq: null, channel: 'ack', payload: payloadOf(ack) }]);
  }

  /** Reads no more; what was read is in the outbox afterwards. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTurn();
    return this.#exclusively(async () => {
      await this.#flush();
      this.#cancelRest?.();
    });
  }

  /** A probe is never read twice at once. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    const turn = this.#previous.then(work);
    this.#previous = turn.catch(() => {});
    return turn;
  }

  /** Reads what is due. Returns how long to wait at least before the next turn, milliseconds. */
  async #turn(): Promise<number> {
    const { probe, now, log, intervalSeconds } = this.#options;
    try {
      for (let at = probe.nextAt(); !this.#stopped && at !== null && at <= now() && !this.#isHeld(); at = probe.nextAt()) {
        await this.#read();
        if (this.#samples.length >= MAX_REPORT_SAMPLES || !this.#cancelRest) await this.#flush();
      }
      if (probe.nextAt() === null) await this.#finish();
      return 0;
    } catch (error) {
      log(`the probe ${probe.name} failed: ${briefly(error)}`);
      this.#settle.reject(error);
      return intervalSeconds * 1000;
    }
  }

  async #finish(): Promise<void> {
    await this.#flush();
    if (this.#unsaved.length === 0) this.#settle.resolve();
    else this.#settle.reject(new AgentError('outbox_failed', `${this.#unsaved.length} messages could not be kept`));
  }

  /** Looks again after an interval at the latest: a clock that was set back must not make a probe sleep. */
  #schedule(waitMs: number): void {
    const { probe, now, timers, intervalSeconds } = this.#options;
    const nextAt = probe.nextAt();
    this.#cancelTurn();
    if (this.#stopped || nextAt === null || (nextAt <= now() && this.#isHeld())) return;
    this.#cancelTurn = timers.set(Math.min(Math.max(waitMs, nextAt - now()), intervalSeconds * 1000), () => this.wake());
  }

  #isHeld(): boolean {
    const { probe, outbox } = this.#options;
    return probe.recorded && outbox.size > 0 && outbox.bytes > outbox.maxBytes * FULL_ENOUGH;
  }

  async #read(): Promise<void> {
    const { probe, now } = this.#options;
    this.#samples.push(...(await probe.read(now())));
  }

  /** What was read becomes messages of the present session at once, and is durable when this resolves. */
  async #flush(): Promise<void> {
    const { log } = this.#options;
    if (this.#samples.length > 0) this.#rest();
    const messages: Message[] = [];
    for (const samples of chunks(this.#samples.splice(0), MAX_REPORT_SAMPLES)) {
      messages.push(...reportMessages(this.#count, samples, ({ at }) => log(`the sample of ${at} is too large for a message: left out`)));
    }
    await this.#store(messages);
  }

  #rest(): void {
    const { timers, intervalSeconds } = this.#options;
    this.#cancelRest?.();
    this.#cancelRest = timers.set(intervalSeconds * 1000, () => {
      this.#cancelRest = null;
      void this.#flush();
    });
  }

  async #store(messages: readonly Message[]): Promise<void> {
    const waiting = [...this.#unsaved.splice(0), ...messages];
    if (waiting.length === 0) return;
    const { outbox, log, onStored } = this.#options;
    const results = await Promise.allSettled(waiting.map((m) => outbox.put(m)));
    const failed = waiting.filter((_, i) => results[i]!.status === 'rejected');
    if (failed.length > 0) {
      const reason = results.find((r) => r.status === 'rejected')?.reason as Error;
      const dropped = Math.max(0, failed.length - MAX_UNSAVED_MESSAGES);
      log(`${reason.message}: ${failed.length - dropped} messages are kept in memory, ${dropped} were dropped`);
      this.#unsaved.unshift(...failed.slice(dropped));
    }
    if (failed.length < waiting.length) onStored();
  }
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));
}
