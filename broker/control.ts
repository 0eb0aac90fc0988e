/** Follows the control log: reads all of it before the broker listens, and what is appended from then on as it comes. */
import { LogError, type LogReader } from '../backbone/log.ts';
import { type ControlEntry, decodeControl } from '../protocol/control.ts';

export interface ControlFollowerOptions {
  reader: LogReader;
  /** Milliseconds of a clock that never steps. */
  uptime: () => number;
  /** Called with each entry in order. `live`: it was appended after this broker started to follow. Must not throw. */
  take(entry: ControlEntry, live: boolean): void;
  /** Told once when the log cannot be followed any more, and once when it can again. */
  say(line: string): void;
}

export interface ControlFollower {
  /** Reads the log to its end. Errors: LogError where that fails. */
  start(): Promise<void>;
  /** Takes what is new; to be called each second. It never rejects: a failure shows in `following`. */
  check(): Promise<void>;
  /** Whether revocations are known as of at most a minute ago. */
  following(): boolean;
  /** Milliseconds since the log was last read to its end. */
  lagMs(): number;
  /** From now on no entry is taken. */
  stop(): void;
}

const PATIENCE_MS = 60_000;
const READ_BYTES = 1024 * 1024;

export function followControl({ reader, uptime, take, say }: ControlFollowerOptions): ControlFollower {
  const stopping = new AbortController();
  let position = 0;
  let followedAt = uptime();
  let live = false;
  let told = false;
  let reading: Promise<void> | undefined;
  let watching = false;

  /** Takes entries up to the end of the log. */
  async function catchUp(): Promise<void> {
    for (;;) {
      const batches = await readNext();
      if (stopping.signal.aborted) return;
      for (const { batch, records } of batches) {
        position = batch;
        for (const record of records) takeRecord(record);
      }
      if (batches.length === 0) break;
    }
    followedAt = uptime();
  }

  /** Where retention was faster than this broker, it goes on with what is left. */
  async function readNext() {
    try {
      return await reader.read(position + 1, READ_BYTES);
    } catch (error) {
      if (!(error instanceof LogError && error.code === 'gone')) throw error;
      return await reader.read(Math.max(await reader.first(), position + 1), READ_BYTES);
    }
  }

  function takeRecord(record: Uint8Array): void {
    let entry: ControlEntry;
    try {
      entry = decodeControl(record);
    } catch {
      say(
        `the control log holds an entry that this version cannot read, in batch ${position}: it was passed over; is a collector newer than this broker?`,
      );
      return;
    }
    take(entry, live);
  }

  async function tryCatchUp(): Promise<void> {
    try {
      await catchUp();
    } catch (error) {
      tellFailure(error instanceof Error ? error.message : String(error));
      return;
    }
    if (told) say('the control log can be followed again: log-ins are accepted');
    told = false;
    if (!watching) void watch();
  }

  function tellFailure(why: string): void {
    if (told || following()) return;
    told = true;
    say(`the control log cannot be followed (${why}): new log-ins are refused, as a revocation could be missed`);
  }

  function check(): Promise<void> {
    if (reading) tellFailure('no answer');
    reading ??= tryCatchUp().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** Takes entries as soon as they come. It ends where that fails, and the next check that succeeds starts it again. */
  async function watch(): Promise<void> {
    watching = true;
    try {
      for (let before = -1; position > before && !stopping.signal.aborted; await check()) {
        before = position;
        await reader.grown(position, stopping.signal);
      }
    } catch {
      // `grown` failed: the log cannot be read just now.
    } finally {
      watching = false;
    }
  }

  const following = () => uptime() - followedAt < PATIENCE_MS;
  return {
    async start() {
      await catchUp();
      live = true;
      await check();
    },
    check,
    following,
    lagMs: () => Math.max(0, uptime() - followedAt),
    stop: () => stopping.abort(),
  };
}
