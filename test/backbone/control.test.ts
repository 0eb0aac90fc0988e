import { expect, onTestFinished, test } from 'vitest';
import { openControlWriter } from '../../backbone/control.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { type ControlEntry, decodeControl } from '../../protocol/control.ts';
import { tempDir } from '../helpers/tempdir.ts';

const revocation = (user: string): ControlEntry => ({ kind: 'revocation', at: 1_763_798_400_000, user });

test('what one writer after another appended is read in order', async () => {
  const dir = await tempDir();
  const entries = [revocation('acme/SN000001'), revocation('noc:grafana'), { kind: 'keys', at: 1_763_798_400_001 } as const];

  for (const entry of entries) {
    const writer = await openControlWriter(dir);
    await writer.append(entry);
    await writer.close();
  }

  const reader = await openSegmentReader(dir);
  onTestFinished(() => reader.close());
  const batches = await reader.read(1, 65_536);
  expect(batches.flatMap(({ records }) => records.map(decodeControl))).toEqual(entries);
});

test('one process at a time appends, and the other is told which', async () => {
  const dir = await tempDir();
  const writer = await openControlWriter(dir);
  onTestFinished(() => writer.close());

  await expect(openControlWriter(dir)).rejects.toMatchObject({ code: 'locked', message: expect.stringContaining(`${process.pid}`) });
});
