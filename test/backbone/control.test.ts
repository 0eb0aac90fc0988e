import { expect, onTestFinished, test } from 'vitest';
import { followControl, openControlWriter, readControl } from '../../backbone/control.ts';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import type { ControlEntry } from '../../protocol/control.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempdir.ts';

const revocation = (user: string): ControlEntry => ({ kind: 'revocation', at: 1_763_798_400_000, user });

async function opened() {
  const dir = await tempDir();
  const reader = await openSegmentReader(dir, { pollMs: 5 });
  onTestFinished(() => reader.close());
  return { dir, reader };
}

test('a follower gets what is there and then each entry as it comes, in order, until it is told to stop', async () => {
  const { dir, reader } = await opened();
  const writer = await openControlWriter(dir);
  onTestFinished(() => writer.close());
  const [got, stop]: [ControlEntry[], AbortController] = [[], new AbortController()];
  await writer.append(revocation('acme/SN000001'));

  const following = followControl(reader, 1, (entry) => got.push(entry), stop.signal);
  await eventually(() => expect(got).toHaveLength(1));
  await writer.append({ kind: 'keys', at: 1_763_798_400_001 });
  await writer.append(revocation('noc:grafana'));
  await eventually(() => expect(got).toHaveLength(3));
  stop.abort();
  await following;

  expect(got).toEqual([revocation('acme/SN000001'), { kind: 'keys', at: 1_763_798_400_001 }, revocation('noc:grafana')]);
});

test('a start reads all there is, and says from where to go on', async () => {
  const { dir, reader } = await opened();
  const first = await openControlWriter(dir);
  await first.append(revocation('acme/SN000001'));
  await first.close();
  const got: ControlEntry[] = [];

  const next = await readControl(reader, 1, (entry) => got.push(entry));
  const second = await openControlWriter(dir);
  await second.append(revocation('acme/SN000002'));
  await second.close();
  const later = await readControl(reader, next, (entry) => got.push(entry));

  expect([next, later, got]).toEqual([2, 3, [revocation('acme/SN000001'), revocation('acme/SN000002')]]);
});

test('one process at a time appends, and the other is told which', async () => {
  const { dir } = await opened();
  const writer = await openControlWriter(dir);
  onTestFinished(() => writer.close());

  await expect(openControlWriter(dir)).rejects.toMatchObject({ code: 'locked', message: expect.stringContaining(`${process.pid}`) });
});

test('a log that nobody has written to yet is followed quietly', async () => {
  const { reader } = await opened();
  const stop = new AbortController();

  const following = followControl(reader, 1, () => expect.unreachable(), stop.signal);
  const next = await readControl(reader, 1, () => expect.unreachable());
  stop.abort();
  await following;

  expect(next).toBe(1);
});
