/** What the owner of the partition stands on: its place as the only one, the logs, and the watch's state. */
import { join } from 'node:path';
import { type ControlWriter, openControlWriter } from '../../backbone/control.ts';
import type { Layout } from '../../backbone/layout.ts';
import { openLmdbState } from '../../backbone/lmdb.ts';
import { takeLock } from '../../backbone/lock.ts';
import type { LogReader, LogWriter } from '../../backbone/log.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';
import type { StateStore } from '../../backbone/state.ts';
import type { Opened } from './opened.ts';

const MIB = 1024 * 1024;
/** The owner's log is small; its segments are, too. */
const OWNER_SEGMENT_BYTES = 8 * MIB;

export interface Ground {
  brokersLog: LogReader;
  ownerLog: { writer: LogWriter; reader: LogReader };
  control: ControlWriter;
  watchState: StateStore;
}

/** Errors: LockHeldError where another collector runs, LogError, StateError. `logAgeMs`: how long the owner's log is kept. */
export async function openGround(paths: Layout, logAgeMs: number, opened: Opened): Promise<Ground> {
  opened.add(await takeLock(paths.lock), (lock) => lock.release());
  const control = opened.add(await openControlWriter(paths.controlLog), (c) => c.close());
  // It keeps no reserve: a brokers' log that is full to its own must not stop it.
  const options = { segmentBytes: OWNER_SEGMENT_BYTES, maxAgeMs: logAgeMs };
  const writer = opened.add(await openSegmentWriter(paths.ownerLog, options), (log) => log.close());
  const reader = opened.add(await openSegmentReader(paths.ownerLog), (log) => log.close());
  const brokersLog = opened.add(await openSegmentReader(paths.brokersLog), (log) => log.close());
  return { brokersLog, ownerLog: { writer, reader }, control, watchState: await openState(paths, 'watch', opened) };
}

export function statePaths({ state }: Layout) {
  return { watch: join(state, 'watch'), feed: join(state, 'feed'), access: join(state, 'access'), webhooks: join(state, 'webhooks') };
}

/** Errors: StateError. */
export async function openState(paths: Layout, of: keyof ReturnType<typeof statePaths>, opened: Opened): Promise<StateStore> {
  return opened.add(await openLmdbState(statePaths(paths)[of]), (state) => state.close());
}
