import { expect, it, onTestFinished } from 'vitest';
import { prepareDataDir } from '../../../backbone/layout.ts';
import { openSegmentReader } from '../../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { systemClock } from '../../../collector/app/clock.ts';
import { importOffline } from '../../../collector/app/offline.ts';
import { decodeControl } from '../../../protocol/control.ts';
import { encodeRecord } from '../../../protocol/record.ts';
import { tempDir } from '../../helpers/tempdir.ts';

it('an import beside a broker whose collector is down asks a terminal without a birth for it, by the control log', async () => {
  const paths = await prepareDataDir(await tempDir());
  const log = await openSegmentWriter(paths.brokersLog);
  onTestFinished(() => log.close());
  const at = Date.now();
  const payload = Buffer.from(JSON.stringify({ v: 1, session: 's1', seq: 1, samples: [{ at }] }));
  await log.append([
    encodeRecord({ kind: 'heartbeat', at, node: 'n1', boot: 'b1', uptime: 1 }),
    encodeRecord({ kind: 'arrival', at, node: 'n1', acquirer: 'acme', sn: 'SN000001', channel: 'report', payload }),
  ]);

  await importOffline({ paths, changes: [], id: 'i1', clock: systemClock });

  const reader = await openSegmentReader(paths.controlLog);
  onTestFinished(() => reader.close());
  const batches = await reader.read(1, 1 << 20);
  expect(batches.flatMap(({ records }) => records.map(decodeControl))).toEqual([
    expect.objectContaining({ kind: 'command', acquirer: 'acme', sn: 'SN000001', command: expect.objectContaining({ type: 'rebirth' }) }),
  ]);
});
