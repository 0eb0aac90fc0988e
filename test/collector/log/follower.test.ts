import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { DurableFile } from '../../../backbone/segments/durable.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { encodeOwnerRecord } from '../../../collector/log/entries.ts';
import { Follower } from '../../../collector/log/follower.ts';
import { START } from '../../../collector/log/position.ts';
import { type BrokerRecord, encodeRecord } from '../../../protocol/record.ts';
import { tempDir } from '../../helpers/tempdir.ts';

const T = 1_763_798_400_000;
const BATCHES = 9;

function beat(batch: number): BrokerRecord {
  return { kind: 'heartbeat', at: T + batch, node: 'n1', boot: 'b1', uptime: batch };
}

/** Both logs of a machine that lost its power: of `there` brokers' batches it knows that the first `known` are durable. */
async function afterPowerLoss({ there, known }: { there: number; known: number }): Promise<Follower> {
  const dir = await tempDir();
  const [brokersDir, ownerDir] = [join(dir, 'brokers'), join(dir, 'owner')];
  // Small segments: the mark in the file is then that of an older one.
  const brokers = await openSegmentWriter(brokersDir, { segmentBytes: 256 });
  for (let batch = 1; batch <= there; batch++) await brokers.append([encodeRecord(beat(batch))]);
  await brokers.close();
  const owner = await openSegmentWriter(ownerDir);
  await owner.append([encodeOwnerRecord({ before: { batch: BATCHES, index: 0 }, entry: { kind: 'tick', at: T } })]);
  await owner.close();
  const durable = new DurableFile(brokersDir);
  durable.create();
  durable.publish(known, durable.read().mark);
  durable.close();
  const readers = [await openSegmentReader(brokersDir), await openSegmentReader(ownerDir)] as const;
  onTestFinished(async () => {
    for (const reader of readers) await reader.close();
  });
  return new Follower(...readers, START);
}

async function all(follower: Follower): Promise<string[]> {
  const items: string[] = [];
  for (let item = await follower.next(); item; item = await follower.next()) items.push(`${item.entry.kind} ${item.offset.batch}`);
  return items;
}

const beats = (count: number) => Array.from({ length: count }, (_, i) => `heartbeat ${i + 1}`);

it.each([0, 1, 7, 8, 12])(
  'reads all that the owner had read before its entry, though the log knows after a power loss that %i batches are durable',
  async (known) => {
    const follower = await afterPowerLoss({ there: 12, known });

    expect(await all(follower)).toEqual([...beats(BATCHES - 1), 'tick 1']);
  },
);

it('goes on where a disk that did not keep its word has lost some of it', async () => {
  const follower = await afterPowerLoss({ there: 5, known: 3 });

  expect(await all(follower)).toEqual([...beats(5), 'tick 1']);
});
