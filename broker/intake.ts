/** The broker's side of its log: what waits to become durable, and whether the log takes anything at all. */
import type { LogWriter } from '../backbone/log.ts';
import type { HeartbeatEntry, RefusalEntry } from '../protocol/entries.ts';
import { encodeRecord } from '../protocol/record.ts';
import type { LimitValues } from './limits/table.ts';

export interface Intake {
  /**
   * Appends the record of an acquirer's message, whose bytes are copied at once. Calls back when it is durable, or with an error where
   * it is not in the log: the log's own, or that too much of this acquirer's waits for it already. In the order of the calls; `done`
   * must not throw.
   */
  take(acquirer: string, record: Uint8Array, done: (error?: Error) => void): void;
  /**
   * Whether so much of an acquirer's waits for the log that who can wait should: more than there is room left. So one acquirer alone
   * gets half of the room, and another beside it finds a quarter (the dynamic thresholds of Choudhury and Hahne, 1998).
   */
  crowded(acquirer: string): boolean;
  /**
   * Appends a heartbeat, unless the one before is still under way: time that the log did not take is our blindness. A heartbeat that
   * gets through is how a log that failed is found to work again.
   */
  beat(heartbeat: HeartbeatEntry): Promise<void>;
  /** Appends a refusal, or a heartbeat out of turn, where the log works; nobody waits for it. */
  note(entry: RefusalEntry | HeartbeatEntry): void;
  /** Whether the last append succeeded, and the one under way is not overdue. */
  works(): boolean;
  /** Messages that are not durable yet. */
  pending(): number;
  /** Messages that were not taken since the start. */
  failures(): number;
  /** Resolves when no message is pending, and all who waited were called. */
  drained(): Promise<void>;
}

/** Of one acquirer, against the room that is left for the others: beyond it, messages that could not be made to wait are not taken. */
const MOST_OF_ROOM = 3;

export interface IntakeOptions {
  log: LogWriter;
  say(line: string): void;
  /** Milliseconds of a clock that never steps. */
  uptime: () => number;
  limits: Pick<LimitValues, 'pending_bytes' | 'log_seconds'>;
}

/** What waits for the log is bounded here: Aedes itself lets a client send on before its messages are acknowledged, without limit. */
export function createIntake({ log, say, uptime, limits }: IntakeOptions): Intake {
  let failure: Error | undefined;
  let beatingSince: number | undefined;
  let pending = 0;
  let pendingBytes = 0;
  const bytesOf = new Map<string, number>();
  let failures = 0;
  let waiting: (() => void)[] = [];

  const worked = () => {
    if (failure) say('the log takes reports again');
    failure = undefined;
  };
  const failed = (error: Error) => {
    if (!failure) say(`${error.message}: no report is acknowledged until it works again, and terminals keep theirs`);
    failure = error;
  };
  const count = (acquirer: string, bytes: number) => {
    const own = waits(acquirer) + bytes;
    pendingBytes += bytes;
    if (own > 0) bytesOf.set(acquirer, own);
    else bytesOf.delete(acquirer);
  };
  const room = () => limits.pending_bytes - pendingBytes;
  const waits = (acquirer: string) => bytesOf.get(acquirer) ?? 0;
  const isTooMuch = (acquirer: string, bytes: number) => waits(acquirer) + bytes > MOST_OF_ROOM * (room() - bytes);
  const settle = (acquirer: string, bytes: number) => {
    pending -= 1;
    count(acquirer, -bytes);
    if (pending > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  return {
    take(acquirer, record, done) {
      const bytes = record.length;
      const refusal = failure ?? (isTooMuch(acquirer, bytes) ? new Error('too much waits for the log') : undefined);
      if (refusal) {
        failures += 1;
        done(refusal);
        return;
      }
      pending += 1;
      count(acquirer, bytes);
      log.add(record, (error) => {
        if (error) {
          failures += 1;
          failed(error);
        } else worked();
        done(error);
        settle(acquirer, bytes);
      });
    },
    crowded: (acquirer) => waits(acquirer) > room(),
    async beat(heartbeat) {
      if (beatingSince !== undefined) return;
      beatingSince = uptime();
      try {
        await log.append([encodeRecord(heartbeat)]);
        worked();
      } catch (error) {
        failed(error as Error);
      } finally {
        beatingSince = undefined;
      }
    },
    note(entry) {
      if (!failure) log.append([encodeRecord(entry)]).then(worked, failed);
    },
    works: () => failure === undefined && (beatingSince === undefined || uptime() - beatingSince < 1_000 * limits.log_seconds),
    pending: () => pending,
    failures: () => failures,
    drained: () => (pending === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
