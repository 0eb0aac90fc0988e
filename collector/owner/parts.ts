/** Which of our own parts are down, as far as the collector sees, and when that has to be said. */
import type { LogReader } from '../../backbone/log.ts';
import type { PlatformState } from '../../protocol/entries.ts';
import { decodeRecord } from '../../protocol/record.ts';
import type { PlatformRules } from '../../watch/rules/defaults.ts';
import type { Cursor } from '../log/cursor.ts';

/** What there is to see of our parts; undefined where nothing is known. */
export interface Seen {
  /** Whether the brokers' log takes nothing for want of space. */
  logIsFull?: boolean | undefined;
  /** How long the store has failed to take what was to be written, milliseconds; 0 where it took the last of it. */
  storeFailingMs?: number | undefined;
  /** How far the unread part of the brokers' log reaches, milliseconds. */
  unreadMs: number;
}

type Owned = 'log' | 'store' | 'collector';

/** What was not said yet: of a part of which nothing is known, nothing. */
export function partsToSay({ logIsFull, storeFailingMs, unreadMs }: Seen, isDown: (part: Owned) => boolean, rules: PlatformRules) {
  const storeIsDead = storeFailingMs !== undefined && storeFailingMs >= rules.storeSeconds * 1000;
  const down: Record<Owned, boolean | undefined> = {
    log: logIsFull,
    // One that fails since a moment ago is neither well nor dead.
    store: storeIsDead || storeFailingMs === 0 ? storeIsDead : undefined,
    collector: unreadMs > rules.collectorSeconds * 1000,
  };
  return (Object.keys(down) as Owned[]).flatMap((part): PlatformState[] => {
    const state = down[part];
    return state === undefined || state === isDown(part) ? [] : [{ part, state: state ? 'down' : 'up' }];
  });
}

/**
 * How far the unread part of the brokers' log reaches, milliseconds by its own times: a broker that was away while we were left nothing
 * to read, and a clock that stepped has made nobody late.
 */
export async function unreadMs(log: LogReader, cursor: Cursor): Promise<number> {
  const oldest = await cursor.peek();
  const end = await log.end();
  if (!oldest || cursor.next.batch >= end) return 0;
  const [newest] = await log.read(end, 1);
  const record = newest?.records[0];
  return record ? decodeRecord(record).at - decodeRecord(oldest).at : 0;
}
