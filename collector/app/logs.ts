/** The logs of an installation, with what retention keeps of them. */
import { join } from 'node:path';
import type { Layout } from '../../backbone/layout.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';

const MIB = 1024 * 1024;
/** The owner's log is small; its segments are, too. */
const OWNER_SEGMENT_BYTES = 8 * MIB;

/** The owner's log keeps no reserve: a brokers' log that is full to its own must not stop it. */
export async function openOwnerLog({ ownerLog }: Layout, maxAgeMs: number) {
  const writer = await openSegmentWriter(ownerLog, { segmentBytes: OWNER_SEGMENT_BYTES, maxAgeMs });
  return { writer, reader: await openSegmentReader(ownerLog) };
}

export function statePaths({ state }: Layout) {
  return { watch: join(state, 'watch'), feed: join(state, 'feed'), access: join(state, 'access'), webhooks: join(state, 'webhooks') };
}
