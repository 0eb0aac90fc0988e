/** The checker of rounds is checked: in what a real installation left behind, with either store, it finds what was planted there. */
import { describe, expect, it } from 'vitest';
import { openDuckDbStore } from '../../collector/store/duckdb.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Influx, startInflux } from '../helpers/influx.ts';
import { Installation } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';
import { FOR_EVER } from '../helpers/store.ts';
import { checkHistory, type SentReport } from './history.ts';
import { Fleet } from './load.ts';
import { seeded } from './random.ts';
import { bindAll, homesOf } from './registry.ts';
import { evidenceOf, type Played } from './verdict.ts';

const TEST_MS = 120_000;
const ACQUIRER = 'planted';
const REPORTS = 200;

/** A loss and a duplicate of one report each, made in the store itself. */
interface Spoiler {
  lose(report: SentReport): Promise<void>;
  double(report: SentReport): Promise<void>;
}

/** A short round in which nothing happened: what was sent, and the ids that the API listed. */
async function quietRound(influx?: Influx): Promise<{ played: Played; listed: string[] }> {
  const { url, token, org, bucket } = influx ?? {};
  const access = url && { INFLUX_URL: url, INFLUX_TOKEN: token!, INFLUX_ORG: org!, INFLUX_BUCKET: bucket! };
  const installation = await Installation.create(access || {});
  await installation.start('start').ready();
  const homes = homesOf(4);
  const asked = await bindAll(installation, ACQUIRER, homes);
  const { mqttPort: port, token: tokenOf, durable } = installation;
  const timing = { everyMs: 10, intervalSeconds: 300, keepaliveSeconds: 300 };
  const own = { acquirer: ACQUIRER, terminals: homes, port, token: tokenOf, durable, now: Date.now, random: seeded(1) };
  const fleet = new Fleet({ ...own, ...timing });
  await eventually(() => expect(fleet.counts.acknowledged).toBeGreaterThan(REPORTS), { within: 20_000 });
  await fleet.drain(20_000);
  await installation.settled(20_000);
  await fleet.end();
  const listed = (await installation.alerts()).map(({ id }) => id);
  expect(await installation.stopAll()).toEqual([0]);
  return { played: { installation, acquirer: ACQUIRER, influx, sent: fleet.reports, asked }, listed };
}

/** Spoils a report after the other, and looks each time. */
async function finds({ played, listed }: { played: Played; listed: string[] }, { lose, double }: Spoiler): Promise<void> {
  const problems = async (sent = played.sent) => checkHistory((await evidenceOf({ ...played, sent }, listed)).history);
  const [lost, doubled, early] = [played.sent[10]!, played.sent[20]!, played.sent[30]!];
  expect(await problems()).toEqual([]);
  const hasty = played.sent.map((report) => (report === early ? { ...report, durableAtPuback: report.durableAtPuback! - 1_000 } : report));
  expect(await problems(hasty)).toEqual([{ kind: 'early_puback', what: expect.stringContaining(`${early.session} ${early.seq}:`) }]);
  await lose(lost);
  await double(doubled);
  expect(await problems()).toEqual([
    { kind: 'missing', what: expect.stringContaining(`${lost.at}, seq ${lost.seq}`) },
    { kind: 'doubled', what: expect.stringContaining(`${doubled.at}: 2 times`) },
  ]);
}

describe('the verdict on a round', () => {
  it('finds a loss, a duplicate and a PUBACK before the commit, with the embedded store', { timeout: TEST_MS }, async () => {
    const round = await quietRound();
    const run = async (sql: string) => {
      const store = await openDuckDbStore(round.played.installation.paths.store, FOR_EVER);
      await store.query(sql);
      await store.close();
    };
    const of = ({ user, at }: SentReport) => `WHERE sn = '${user.split('/')[1]}' AND "at" = ${at}`;

    await finds(round, {
      lose: (report) => run(`DELETE FROM terminal ${of(report)}`),
      double: (report) => run(`INSERT INTO terminal SELECT * FROM terminal ${of(report)}`),
    });
  });

  it.skipIf(lacks('influxd'))('finds the same with InfluxDB', { timeout: TEST_MS }, async () => {
    const influx = await startInflux();
    try {
      const round = await quietRound(influx);
      const post = async (path: string, body: string) => {
        const headers = { authorization: `Token ${influx.token}` };
        const answer = await fetch(`${influx.url}/api/v2/${path}&org=${influx.org}&bucket=${influx.bucket}`, {
          method: 'POST',
          headers,
          body,
        });
        expect(answer.status).toBe(204);
      };

      await finds(round, {
        lose: ({ user, at }) => {
          const time = (ms: number) => new Date(ms).toISOString();
          const predicate = `_measurement="terminal" AND sn="${user.split('/')[1]}"`;
          return post('delete?', JSON.stringify({ start: time(at), stop: time(at), predicate }));
        },
        double: ({ user, at, seq, rsrp }) => {
          const merchant = round.played.asked.find((one) => one.user === user)!.merchant;
          const tags = `acquirer=${ACQUIRER},sn=${user.split('/')[1]},merchant=${merchant},app=another`;
          return post('write?precision=ms', `terminal,${tags} seq=${seq},signal_rsrp=${rsrp} ${at}`);
        },
      });
    } finally {
      await influx.stop();
    }
  });
});
