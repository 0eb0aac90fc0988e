import { existsSync, readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openTrace, type TraceOptions } from '../../../agent/probes/trace.ts';
import { traceSample, traceTime } from '../../../agent/probes/trace-row.ts';
import { type Sample, sample as sampleSchema } from '../../../protocol/schemas/sample.ts';
import { tempDir } from '../../helpers/tempdir.ts';

const MADE_UP = 'test/fixtures/traces/made-up.csv';
const RECORDED = '../shared/data/signal-traces';
const TEN = Date.UTC(2024, 4, 6, 10);
const place = { lat: 48.25, lon: 2.5, datum: 'wgs84' };

async function play(path: string, options: Partial<TraceOptions> = {}) {
  const lines: string[] = [];
  const probe = await openTrace({ path, speed: 0, now: 0, log: (line) => lines.push(line), ...options });
  onTestFinished(() => probe.close());
  const samples: Sample[] = [];
  while (probe.nextAt() !== null) samples.push(...(await probe.read(0)));
  return { samples, lines };
}

describe('a played trace', () => {
  test('becomes one sample a row: spread over shared seconds, never out of order, unknown values and impossible ones absent', async () => {
    const { samples } = await play(MADE_UP);

    expect(samples).toEqual([
      { at: TEN, signal: { rat: 'lte', rsrp: -90, rsrq: -9, sinr: 12.5, rssi: -61, lac: '1f2e', cell: 'abb01' }, place },
      { at: TEN + 333, signal: { rat: 'nr', rsrp: -95, rsrq: -11, sinr: 3, mcc: '208', mnc: '01', lac: '1f2e', cell: 'abb01' }, place },
      { at: TEN + 666, signal: { rat: 'lte', rssi: -94, lac: '1f2e', cell: 'abb01' }, place },
      { at: TEN + 1000, signal: { rat: 'umts', rssi: -67, lac: '1f2e', cell: 'cab12' }, place },
      { at: TEN + 3000, signal: { rat: 'umts' }, place },
      { at: TEN + 3001, signal: { rat: 'gsm', rssi: -77, lac: '3fe', cell: 'ab12' } },
      { at: TEN + 4000, signal: { rsrq: -9, sinr: 12.5 } },
    ]);
  });

  test('can begin at another time, with the same steps between its samples', async () => {
    const { samples: own } = await play(MADE_UP);

    const { samples: shifted } = await play(MADE_UP, { startAt: TEN + 86_400_123 });

    expect(shifted.map((s) => s.at)).toEqual(own.map((s) => s.at + 86_400_123));
  });

  test('tells at each time what is due by then, at its speed', async () => {
    const probe = await openTrace({ path: MADE_UP, speed: 2, now: 5000, log: () => {} });
    onTestFinished(() => probe.close());

    const told = [];
    for (const now of [4999, 5000, 5200, 5500, 6499, 6500]) told.push((await probe.read(now)).map((s) => s.at - TEN));

    expect(told).toEqual([[], [0], [333], [666, 1000], [], [3000]]);
    expect(probe.nextAt()).toBe(6500.5);
  });

  test('leaves out rows without a time, and says how many', async () => {
    const path = join(await tempDir(), 'trace.csv');
    const [head, row] = (await readFile(MADE_UP, 'utf8')).split('\n');
    await writeFile(path, `\uFEFF${head}\r\n${row}\r\n\r\n${row!.replace('2024.05.06', '2024.02.30')}\r\nnonsense\r\n`);

    const { samples, lines } = await play(path);

    expect(samples.length).toBe(1);
    expect(lines).toEqual([expect.stringMatching(/^2 rows of the trace are not played/)]);
  });

  test.each([
    ['an empty file', '', /it is empty/],
    ['another CSV', 'a,b\n1,2\n', /names no column Timestamp, NetworkMode/],
    ['no file', undefined, /ENOENT/],
  ])('is refused at the start where it is %s', async (_, content, message) => {
    const path = join(await tempDir(), 'trace.csv');
    if (content !== undefined) await writeFile(path, content);

    const opened = openTrace({ path, speed: 0, now: 0, log: () => {} });

    await expect(opened).rejects.toMatchObject({ name: 'AgentError', code: 'trace_unreadable' });
    await expect(opened).rejects.toThrow(message);
  });

  test('never makes a sample that its schema refuses, whatever stands in its fields', () => {
    const field = fc.oneof(
      fc.double().map(String),
      fc.integer().map(String),
      fc.string(),
      fc.constantFrom('-', '', 'NaN', '1e999', '0x10', 'LTE', '5G', 'EDGE'),
    );
    const columns = ['NetworkMode', 'RSRP', 'RSRQ', 'SNR', 'RSSI', 'Longitude', 'Latitude', 'Operatorname', 'LACHEX', 'RAWCELLID'];
    fc.assert(
      fc.property(fc.array(field, { minLength: columns.length, maxLength: columns.length }), (fields) => {
        const made = traceSample(new Map(columns.map((name, i) => [name, fields[i]!])), TEN);
        expect(sampleSchema.safeParse(made)).toEqual({ success: true, data: made });
      }),
      { seed: 1, numRuns: 2000 },
    );
  });

  test.each(['2024.05.06 10.00.00', '2024.13.01_00.00.00', '2024.05.06_24.00.00', '', undefined])('takes %j for no time', (text) => {
    expect(traceTime(text)).toBeUndefined();
  });
});

describe.skipIf(!existsSync(RECORDED))('the recorded traces of ../shared (skipped where they are missing)', () => {
  const files = existsSync(RECORDED) ? readdirSync(RECORDED).filter((name) => name.endsWith('.csv')) : [];

  test('become as many samples as they have rows, each valid, each at a time of its own, in order', async () => {
    let total = 0;
    for (const name of files) {
      const rows = (await readFile(join(RECORDED, name), 'utf8')).trimEnd().split('\n').length - 1;

      const { samples, lines } = await play(join(RECORDED, name));

      expect([name, samples.length, lines]).toEqual([name, rows, []]);
      for (const [i, sample] of samples.entries()) {
        if (i > 0 && sample.at <= samples[i - 1]!.at) expect.fail(`${name}: sample ${i} is not after the one before it`);
        if (!sampleSchema.safeParse(sample).success) expect.fail(`${name}: sample ${i} is not valid`);
      }
      total += rows;
    }
    expect(total).toBeGreaterThan(100_000);
  }, 60_000);
});
