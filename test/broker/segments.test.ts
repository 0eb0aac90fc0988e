import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';
import { decodeRecord } from '../../protocol/record.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { testBroker } from './harness.ts';

describe('a broker over segment files', () => {
  it('has in the log what it acknowledged, as another reader sees it', async () => {
    const dir = join(await tempDir(), 'log');
    const log = await openSegmentWriter(dir);
    const { terminal, broker } = await testBroker({ log });
    const client = await terminal('acme/SN000001');

    await Promise.all(Array.from({ length: 20 }, (_, i) => client.publish('pos/v1/acme/SN000001/report', `r${i}`)));

    const reader = await openSegmentReader(dir);
    const records = (await reader.read(1, 1_000_000)).flatMap((batch) => batch.records.map(decodeRecord));
    const payloads = records.filter((record) => record.kind === 'arrival').map(({ payload }) => Buffer.from(payload).toString());
    expect(payloads).toEqual(Array.from({ length: 20 }, (_, i) => `r${i}`));
    await reader.close();
    await broker.stop();
    await log.close();
  });
});
