import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { Process } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { byForm, seeds } from './form.ts';
import { between } from './random.ts';
import { insistOnImport, MERCHANTS, merchantName, terminalsCsv } from './registry.ts';
import { note, playRound, type Round } from './round.ts';
import { tabled } from './table.ts';

/** In the short form three attempts of the feed fail, and the fourth is not far. */
const OUTAGE_MS = byForm(3_000, 600_000);
/** Cleanly ended and killed. */
const AWAY_ROUNDS = 2;
const AWAY_MS = 2 * OUTAGE_MS + 300_000;
const ROUND_MS = 300_000;
const MOVERS = 5;
const COMMANDS = ['broker', 'collector'] as const;

const isMissing = lacks('influxd');

describe.skipIf(isMissing)('InfluxDB away for a while under load', () => {
  const rounds = tabled('InfluxDB away');

  test.each(seeds(5_000, AWAY_ROUNDS))('nothing is lost, and all is there after (seed %i)', { timeout: AWAY_MS }, async (seed) => {
    await playRound({ scenario: 'InfluxDB away', seed, store: 'influxdb', commands: COMMANDS, rounds }, async (round) => {
      await round.wait(0, 1_000);
      await round.influx!.end(seed % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      note(round, `away ${OUTAGE_MS / 1000} s`);
      await delay(OUTAGE_MS);
      await round.influx!.restart();
      await round.wait(200, 500);
    });
  });
});

describe.skipIf(isMissing)('terminals that change merchant while InfluxDB is away and the feed is killed', () => {
  const rounds = tabled('moves');

  test.each(seeds(6_000))('every report is stored once, under the merchant of its time (seed %i)', { timeout: ROUND_MS }, async (seed) => {
    await playRound({ scenario: 'moves', seed, store: 'influxdb', commands: COMMANDS, rounds }, async (round) => {
      const { installation, processes } = round;
      const influx = round.influx!;
      const kill = async (collector: Process) => {
        await collector.end('SIGKILL');
        note(round, 'kill collector');
      };
      await round.wait(300, 800);
      await influx.end('SIGKILL');
      note(round, 'kill influxd');
      await move(round, byApi);
      await round.wait(100, 1_000);
      await kill(processes[1]!);
      await round.wait(1_200, 2_500);
      await move(round, byCommand);
      await round.wait(1_200, 2_500);
      const collector = installation.start('collector');
      await collector.ready();
      await move(round, byApi);
      await round.wait(0, 1_000);
      await kill(collector);
      await move(round, byCommand);
      installation.start('collector');
      await influx.restart();
      await round.wait(500, 1_000);
      await move(round, byApi);
      await round.wait(200, 500);
    });
  });
});

type Import = (round: Round, rows: string[]) => Promise<void>;

const byApi: Import = ({ installation }, rows) => insistOnImport(installation, terminalsCsv(rows));

/** As an operator does where no collector runs. */
const byCommand: Import = async ({ installation }, rows) => {
  const { name, text } = terminalsCsv(rows);
  const path = join(await tempDir(), name);
  await writeFile(path, text);
  const { exitCode, said } = await installation.run('import', [path]);
  expect({ exitCode, said }).toEqual({ exitCode: 0, said: `terminals: ${rows.length} rows\n` });
};

/** Some terminals go to other merchants; two of them are cut off then, and tell later what they sampled before and after. */
async function move(round: Round, send: Import): Promise<void> {
  const { random, asked, acquirer, sns, fleet } = round;
  const first = between(random, 0, sns.length - 1);
  const moving = Array.from({ length: MOVERS }, (_, i) => sns[(first + 3 * i) % sns.length]!);
  const homes = moving.map((sn) => {
    const user = `${acquirer}/${sn}`;
    const home = Number(asked.findLast((one) => one.user === user)!.merchant.slice('m-'.length));
    return { user, sn, merchant: merchantName((home + between(random, 1, MERCHANTS - 1)) % MERCHANTS) };
  });
  const letBack = await fleet.cutOff(moving.slice(0, 2));
  await round.wait(100, 400);
  const from = Date.now();
  await send(
    round,
    homes.map(({ sn, merchant }) => `${acquirer},${merchant},${sn}`),
  );
  const until = Date.now();
  asked.push(...homes.map(({ user, merchant }) => ({ user, merchant, from, until })));
  await round.wait(100, 400);
  letBack();
}
