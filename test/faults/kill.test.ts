/** kill -9, SIGTERM and SIGSTOP of everything there is, at any moment, under 5 000 reports a second. */
import { describe, test } from 'vitest';
import { lacks } from '../helpers/servers.ts';
import { byForm, seeds } from './form.ts';
import { harass, partOf, serverOf } from './harass.ts';
import { playRound, type RoundOptions } from './round.ts';
import { tabled } from './table.ts';

const ROUND_MS = byForm(180_000, 600_000);

const title = 'loses and doubles nothing that was acknowledged, and no alert (seed %i)';

describe.skipIf(lacks('influxd'))('kill -9, SIGTERM and SIGSTOP of broker, collector and InfluxDB, on top of each other', () => {
  const rounds = tabled('parts, InfluxDB');

  test.each(seeds(1_000))(title, { timeout: ROUND_MS }, async (seed) => {
    const options: RoundOptions = { scenario: 'parts', seed, commands: ['broker', 'collector'], store: 'influxdb', rounds };
    await playRound(options, (round) =>
      harass(round, seed, [partOf(round, 'broker'), partOf(round, 'collector'), serverOf(round.influx!)]),
    );
  });
});

describe('kill -9, SIGTERM and SIGSTOP of broker and collector over the embedded store, on top of each other', () => {
  const rounds = tabled('parts, DuckDB');

  test.each(seeds(2_000))(title, { timeout: ROUND_MS }, async (seed) => {
    const options: RoundOptions = { scenario: 'parts', seed, commands: ['broker', 'collector'], store: 'embedded', rounds };
    await playRound(options, (round) => harass(round, seed, [partOf(round, 'broker'), partOf(round, 'collector')]));
  });
});

describe('kill -9, SIGTERM and SIGSTOP of everything at once', () => {
  const rounds = tabled('start');
  const noInflux = lacks('influxd');

  test.each(seeds(4_000))(title, { timeout: ROUND_MS }, async (seed) => {
    const store = seed % 2 === 0 || noInflux ? 'embedded' : 'influxdb';
    const options: RoundOptions = { scenario: `start, ${store}`, seed, commands: ['start'], store, rounds };
    await playRound(options, (round) => harass(round, seed, [partOf(round, 'start')]));
  });
});
