/** Changes to an installation that is not running: the owner is opened for as long as they take. */
import { openControlWriter } from '../../backbone/control.ts';
import type { Layout } from '../../backbone/layout.ts';
import { openLmdbState } from '../../backbone/lmdb.ts';
import { takeLock } from '../../backbone/lock.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import type { RegistryChange } from '../../protocol/registry.ts';
import { importEntries } from '../import/entries.ts';
import { type Clock, Owner } from '../owner/owner.ts';
import { Patience } from '../patience.ts';
import { openOwnerLog, statePaths } from './logs.ts';
import { sendBy } from './orders.ts';

export interface OfflineImport {
  paths: Layout;
  changes: readonly RegistryChange[];
  /** Names the import in the log. */
  id: string;
  clock: Clock;
}

/** Appends an import as the owner would; resolves once it is durable. Errors: LockHeldError where a collector runs after all. */
export async function importOffline({ paths, changes, id, clock }: OfflineImport): Promise<void> {
  const lock = await takeLock(paths.lock);
  const ownerLog = await openOwnerLog(paths, Number.POSITIVE_INFINITY);
  const brokersLog = await openSegmentReader(paths.brokersLog);
  const state = await openLmdbState(statePaths(paths).watch);
  const control = await openControlWriter(paths.controlLog);
  try {
    const patience = new Patience(clock, () => {});
    const owner = new Owner({
      brokersLog,
      ownerLog,
      state,
      quarantineMs: Number.POSITIVE_INFINITY,
      clock,
      patience,
      send: sendBy(control),
      look: () => ({}),
    });
    await owner.catchUp();
    const imported = owner.submit((at) => importEntries(changes, id, at));
    await Promise.all([owner.run(AbortSignal.abort()), imported]);
  } finally {
    await control.close();
    await state.close();
    await brokersLog.close();
    await ownerLog.reader.close();
    await ownerLog.writer.close();
    await lock.release();
  }
}
