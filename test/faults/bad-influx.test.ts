/** A real InfluxDB behind a way on which everything goes wrong that can, under load. */
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../helpers/eventually.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { lacks } from '../helpers/servers.ts';
import { type BadWay, openBadWay } from './bad-way.ts';
import { byForm, seeds } from './form.ts';
import { between, seeded } from './random.ts';
import { note, playRound, type Round, type RoundOptions } from './round.ts';
import { tabled } from './table.ts';

const ROUND_MS = 600_000;
const BAD_MS = byForm(8_000, 40_000);
const MOST_UNAUTHORIZED_MS = 2_000;
/** About as much goes wrong in a round, so that a few rounds see all of it. */
const MISCHIEF_A_ROUND = 4;
/** A terminal of which the server takes no sample. */
const REFUSED_SN = 'BAD00001';
const REFUSED_LINE = new RegExp(`^terminal,\\S*sn=${REFUSED_SN}`, 'm');
const REFUSED_POINTS = 3;

describe.skipIf(lacks('influxd'))('an InfluxDB that answers 429, 503, 500, 400 and 401, resets, hangs and breaks off', () => {
  const rounds = tabled('bad answers');

  test.each(seeds(12_000))(
    'has every report once in the end, and what it refuses is in quarantine (seed %i)',
    { timeout: ROUND_MS },
    async (seed) => {
      let way: BadWay;
      const influxUrl = async ({ url }: { url: string }) => {
        way = await openBadWay(url, seeded(seed + 20), MISCHIEF_A_ROUND * seed, REFUSED_LINE);
        return way.url;
      };
      const options: RoundOptions = {
        scenario: 'bad answers',
        seed,
        commands: ['broker', 'collector'],
        store: 'influxdb',
        influxUrl,
        rounds,
      };
      await playRound(options, async (round) => {
        way.mood = 'bad';
        await delay(BAD_MS / 2);
        await unauthorized(round, way);
        const [, collector] = round.processes;
        await collector!.end('SIGKILL');
        note(round, 'kill collector');
        const again = round.installation.start('collector');
        await delay(BAD_MS / 2);
        await again.ready();
        await publishRefused(round);
        await round.wait(500, 2_000);
        way.mood = 'good';
        await refusedAreKept(round);
        Object.assign(round.faults, way.done);
      });
    },
  );
});

/** A token that is refused for a while, as where somebody changed it by mistake. */
async function unauthorized({ random }: Round, way: BadWay): Promise<void> {
  way.mood = 'unauthorized';
  await delay(between(random, 500, MOST_UNAUTHORIZED_MS));
  await eventually(() => expect(way.done['401']).toBeGreaterThan(0), { within: 60_000 });
  way.mood = 'bad';
}

async function publishRefused({ installation, acquirer }: Round): Promise<void> {
  const user = `${acquirer}/${REFUSED_SN}`;
  const login = { port: installation.mqttPort()!, clientId: REFUSED_SN, username: user, password: installation.token(user) };
  const client = await connectMqtt(login);
  onTestFinished(() => client.breakOff());
  for (let seq = 1; seq <= REFUSED_POINTS; seq++) {
    await client.publish(`pos/v1/${user}/report`, JSON.stringify({ v: 1, session: 's1', seq, samples: [{ at: Date.now() + seq }] }));
    await delay(50);
  }
}

async function refusedAreKept({ installation, influx, acquirer }: Round): Promise<void> {
  await eventually(
    async () => {
      const { items } = await installation.api<{ items: { from: string }[] }>('/v1/quarantine?reason=store_rejected');
      expect(items.map(({ from }) => from)).toEqual(Array.from({ length: REFUSED_POINTS }, () => `${acquirer}/${REFUSED_SN}`));
    },
    { within: 180_000, every: 200 },
  );
  expect(await influx!.points('terminal', { sn: REFUSED_SN })).toEqual([]);
}
