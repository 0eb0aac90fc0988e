import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSegmentReader } from '../../backbone/segments/reader.ts';
import { openSegmentWriter } from '../../backbone/segments/writer.ts';
import { decodeRecord } from '../../protocol/record.ts';
import { eventually } from '../helpers/eventually.ts';
import type { MqttClient } from '../helpers/mqtt.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { START, testBroker } from './harness.ts';

const KIB = 1024;

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

  it('holds back PUBACKs while the log is full of what is unread, drops nothing of it, and goes on once a reader has caught up', async () => {
    const dir = join(await tempDir(), 'log');
    let now = START;
    const limits = { segmentBytes: 64 * KIB, maxBytes: 256 * KIB, consumers: ['watch'] };
    const log = await openSegmentWriter(dir, { ...limits, now: () => now, uptime: () => now });
    const reader = await openSegmentReader(dir);
    const { terminal, broker, clock, lines } = await testBroker({ log });
    const acknowledged: string[] = [];
    const client = await terminal('acme/SN000001');
    const publish = async (to: MqttClient, n: number) => {
      const text = `${n}`.padEnd(4 * KIB, '.');
      await to.publish('pos/v1/acme/SN000001/report', text);
      acknowledged.push(text);
    };

    let n = 0;
    const fill = async () => {
      for (; n < 1_000; n++) await publish(client, n);
    };
    await expect(fill()).rejects.toThrow();
    const held = acknowledged.length;
    const refused = await terminal('acme/SN000002');
    await reader.release('watch', (await reader.end()) - 1);
    now += 1_001;
    clock.pass(1_000);
    const again = await eventually(async () => {
      const back = await terminal('acme/SN000001');
      expect(back.returnCode).toBe(0);
      return back;
    });
    await publish(again, n);

    expect([held > 40 && held < 64, refused.returnCode]).toEqual([true, 3]);
    expect(lines.filter((line) => /log is full/.test(line))).toHaveLength(1);
    expect(lines.at(-1)).toBe('the log takes reports again');
    const first = await reader.first();
    const records = (await reader.read(first, 10_000_000)).flatMap((batch) => batch.records.map(decodeRecord));
    const kept = records.filter((record) => record.kind === 'arrival').map(({ payload }) => Buffer.from(payload).toString());
    expect(kept).toEqual(acknowledged.slice(-kept.length));
    expect(kept.length).toBeGreaterThan(1);
    await broker.stop();
    await reader.close();
    await log.close();
  });
});
