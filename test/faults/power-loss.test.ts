/** The machine loses its power under load, again and again: kill -9, and then what was not synced is torn or gone. */
import { describe, expect, test } from 'vitest';
import { lacks } from '../helpers/servers.ts';
import { byForm, seeds } from './form.ts';
import { losePower } from './power-loss.ts';
import { note, playRound, type RoundOptions } from './round.ts';
import { tabled } from './table.ts';

const ROUND_MS = 300_000;
const LOSSES = byForm(2, 4);
const noInflux = lacks('influxd');

describe('a power loss that tears the ends of the logs', () => {
  const rounds = tabled('torn log');

  test.each(seeds(13_000))('costs nothing that was acknowledged, and no order (seed %i)', { timeout: ROUND_MS }, async (seed) => {
    const store = seed % 2 === 0 || noInflux ? 'embedded' : 'influxdb';
    const options: RoundOptions = { scenario: `torn log, ${store}`, seed, commands: ['start'], store, rounds };
    await playRound(options, async (round) => {
      const { installation, random, processes } = round;
      let [start] = processes;
      for (let loss = 0; loss < LOSSES; loss++) {
        await round.wait(200, 2_000);
        await start!.end('SIGKILL');
        await losePower(installation.paths.brokersLog, random);
        await losePower(installation.paths.ownerLog, random);
        note(round, 'power loss');
        start = installation.start('start');
        await start.ready();
        expect(start.said).toMatch(/the log ended in a torn batch/);
      }
      await round.wait(200, 1_000);
    });
  });
});
