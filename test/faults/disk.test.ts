/** A disk on which no byte is free, under load, until somebody frees it. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { lacks } from '../helpers/servers.ts';
import { lacksMounts, smallDisk } from '../helpers/small-disk.ts';
import { seeds } from './form.ts';
import type { Fleet } from './load.ts';
import { note, playRound, type RoundOptions } from './round.ts';
import { tabled } from './table.ts';

const ROUND_MS = 300_000;
const DISK_MEGABYTES = 768;
/** So that what room the log's open file has left is used up in seconds. */
const PADDING_BYTES = 2_000;
const FULL_WITHIN_MS = 120_000;
const EMBEDDED = { commands: ['start'], store: 'embedded' } as const;
const APART = { commands: ['broker', 'collector'], store: 'influxdb' } as const;
const noInflux = lacks('influxd');

/** What is acknowledged when the last PUBACKs have come. */
async function standstill(fleet: Fleet): Promise<number> {
  for (let before = -1; ; ) {
    const { acknowledged } = fleet.counts;
    if (acknowledged === before) return acknowledged;
    before = acknowledged;
    await delay(200);
  }
}

describe.skipIf(lacksMounts())('a disk that fills up under load and is then freed', () => {
  const rounds = tabled('full disk');

  test.each(seeds(11_000))(
    'holds PUBACKs back, and then goes on by itself, with every report (seed %i)',
    { timeout: ROUND_MS },
    async (seed) => {
      const { path, fill, free } = await smallDisk(DISK_MEGABYTES);
      const home = seed % 2 === 0 || noInflux ? EMBEDDED : APART;
      const options: RoundOptions = { scenario: `full disk, ${home.store}`, seed, ...home, root: join(path, 'data'), rounds };
      const env = { TILLWATCH_LOG_RESERVE_BYTES: '0' };
      await playRound({ ...options, env, paddingBytes: PADDING_BYTES }, async (round) => {
        const [broker] = round.processes;
        await round.wait(0, 1_500);
        fill();
        await eventually(() => expect(broker!.said).toMatch(/the log is full.*: no report is acknowledged until it works again/), {
          within: FULL_WITHIN_MS,
        });
        note(round, 'full disk');
        const held = await standstill(round.fleet);
        await round.wait(500, 4_000);
        expect(round.fleet.counts.acknowledged).toBe(held);
        free();
        await eventually(() => expect(round.fleet.counts.acknowledged).toBeGreaterThan(held), { within: FULL_WITHIN_MS });
        await round.wait(500, 1_500);
      });
    },
  );
});
