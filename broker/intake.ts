/** The broker's side of its log: what waits to become durable, and whether the log takes anything at all. */
import type { LogWriter } from '../backbone/log.ts';
import type { HeartbeatEntry, RefusalEntry } from '../protocol/entries.ts';
import { encodeRecord } from '../protocol/record.ts';

export interface Intake {
  /**
   * Appends a message's record, whose bytes are copied at once. Calls back when it is durable, or with an error where it is not in the
   * log: the log's own, or that too much waits for it already. In the order of the calls; `done` must not throw.
   */
  take(record: Uint8Array, done: (error?: Error) => void): void;
  /** Whether so much waits for the log that who can wait should. */
  crowded(): boolean;
  /**
   * Appends a heartbeat, unless the one before is still under way: time that the log did not take is our blindness. A heartbeat that
   * gets through is how a log that failed is found to work again.
   */
  beat(heartbeat: HeartbeatEntry): Promise<void>;
  /** Appends a refusal where the log works; nobody waits for it. */
  note(refusal: RefusalEntry): void;
  /** Whether the last append succeeded. */
  works(): boolean;
  /** Messages that are not durable yet. */
  pending(): number;
  /** Messages that were not taken since the start. */
  failures(): number;
  /** Resolves when no message is pending, and all who waited were called. */
  drained(): Promise<void>;
}

/** What may wait for the log. Aedes itself lets a client send on before its messages are acknowledged, without limit. */
const MAX_PENDING_BYTES = 128 * 1024 * 1024;

export function createIntake(log: LogWriter, say: (line: string) => void, maxPendingBytes = MAX_PENDING_BYTES): Intake {
  let failure: Error | undefined;
  let beating = false;
  let pending = 0;
  let pendingBytes = 0;
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
  const settle = (bytes: number) => {
    pending -= 1;
    pendingBytes -= bytes;
    if (pending > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };

  return {
    take(record, done) {
      const bytes = record.length;
      const refusal = failure ?? (pendingBytes + bytes > maxPendingBytes ? new Error('too much waits for the log') : undefined);
      if (refusal) {
        failures += 1;
        done(refusal);
        return;
      }
      pending += 1;
      pendingBytes += bytes;
      log.add(record, (error) => {
        if (error) {
          failures += 1;
          failed(error);
        } else worked();
        done(error);
        settle(bytes);
      });
    },
    crowded: () => pendingBytes > maxPendingBytes / 2,
    async beat(heartbeat) {
      if (beating) return;
      beating = true;
      try {
        await log.append([encodeRecord(heartbeat)]);
        worked();
      } catch (error) {
        failed(error as Error);
      } finally {
        beating = false;
      }
    },
    note(refusal) {
      if (!failure) log.append([encodeRecord(refusal)]).then(worked, failed);
    },
    works: () => failure === undefined,
    pending: () => pending,
    failures: () => failures,
    drained: () => (pending === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
