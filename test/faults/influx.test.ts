import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { type Influx, startInflux } from '../helpers/influx.ts';
import { lacks } from '../helpers/servers.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { between } from './random.ts';
import { insistOnImport, MERCHANTS, merchantName, playRound, type Round, seeds, terminalsCsv } from './round.ts';

/** A minute by hand. */
const OUTAGE_MS = Number(process.env.TILLWATCH_OUTAGE_SECONDS ?? 5) * 1000;
const ROUND_MS = OUTAGE_MS + 180_000;
const MOVERS = 5;
const COMMANDS = ['broker', 'collector'] as const;

let influx: Influx;
const isMissing = lacks('influxd');
beforeAll(async () => {
  if (!isMissing) influx = await startInflux();
});
afterEach(async () => {
  if (!isAlive(influx.pid)) await influx.restart();
});
afterAll(() => influx?.stop());

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Ends the server, and leaves it away. */
async function stopInflux(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (signal === 'SIGKILL') return influx.kill();
  process.kill(influx.pid, signal);
  await eventually(() => expect(isAlive(influx.pid)).toBe(false), { within: 30_000 });
}

describe.skipIf(isMissing)('InfluxDB away for a while under load', () => {
  test.each(seeds(5_000))('nothing is lost, and all is there after (seed %i)', { timeout: ROUND_MS }, async (seed) => {
    await playRound({ scenario: 'InfluxDB away', seed, influx, commands: COMMANDS }, async (round) => {
      await round.wait(500, 1_500);
      await stopInflux(seed % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      round.kills++;
      await delay(OUTAGE_MS);
      await influx.restart();
      await round.wait(200, 500);
    });
  });
});

describe.skipIf(isMissing)('terminals that change merchant while InfluxDB is away and the feed is killed', () => {
  test.each(seeds(6_000))('every report is stored once, under the merchant of its time (seed %i)', { timeout: ROUND_MS }, async (seed) => {
    await playRound({ scenario: 'moves', seed, influx, commands: COMMANDS }, async (round) => {
      const { installation, processes } = round;
      await round.wait(300, 800);
      await stopInflux('SIGKILL');
      await move(round, byApi);
      await round.wait(100, 1_000);
      await round.kill(processes.slice(1));
      await round.wait(1_200, 2_500);
      await move(round, byCommand);
      await round.wait(1_200, 2_500);
      const collector = installation.start('collector');
      await collector.ready();
      await move(round, byApi);
      await round.wait(0, 1_000);
      await round.kill([collector]);
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
