/** Changes to an installation that is not running: the owner is opened for as long as they take. */
import type { Layout } from '../../backbone/layout.ts';
import type { RegistryChange } from '../../protocol/registry.ts';
import { importEntries } from '../import/entries.ts';
import { type Clock, Owner } from '../owner/owner.ts';
import { Patience } from '../patience.ts';
import { openGround } from './ground.ts';
import { Opened } from './opened.ts';
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
  const opened = new Opened();
  try {
    const ground = await openGround(paths, Number.POSITIVE_INFINITY, opened);
    const owner = new Owner({
      ...ground,
      state: ground.watchState,
      quarantineMs: Number.POSITIVE_INFINITY,
      clock,
      patience: new Patience(clock, () => {}),
      gatherMs: 0,
      send: sendBy(ground.control),
      look: () => ({}),
    });
    await owner.catchUp();
    const imported = owner.submit((at) => importEntries(changes, id, at));
    await Promise.all([owner.run(AbortSignal.abort()), imported]);
  } finally {
    await opened.close();
  }
}
