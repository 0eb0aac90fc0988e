import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Dashboard, readDashboard } from '../../../dashboards/grafana/check/dashboard.ts';
import { fillSurroundings, fillVariables, timeOf } from '../../../dashboards/grafana/check/fill.ts';
import { openInflux } from '../../../dashboards/grafana/check/influx.ts';
import { type Finding, runDashboard } from '../../../dashboards/grafana/check/run.ts';
import { grafanaFiles } from '../../../dashboards/grafana/files.ts';
import { FLEET_NOW_UID, TERMINAL_UID } from '../../../dashboards/grafana/names.ts';
import { cli } from '../../cli/harness.ts';
import { type Influx, startInflux } from '../../helpers/influx.ts';
import { lacks } from '../../helpers/servers.ts';
import { fillWithFleet } from './fleet.ts';

const isMissing = lacks('influxd');
let influx: Influx;
beforeAll(async () => {
  if (!isMissing) influx = await startInflux();
});
afterAll(() => influx?.stop());

/** The fleet is written by the first test that asks for it. */
let filling: Promise<void> | undefined;
const filled = () => (filling ??= fillWithFleet(influx));

/** A dashboard as its file has it, with one thing in the file changed. */
function dashboard(uid: string, change: [from: string, to: string] = ['', '']): Dashboard {
  const text = grafanaFiles()[`dashboards/${uid}.json`]!;
  expect(text).toContain(change[0]);
  const read = readDashboard(text.replaceAll(change[0], change[1]));
  if (!read.ok) throw new Error(read.problem);
  return read.value;
}

function run(what: Dashboard, pinned: Record<string, string> = {}, now = Date.now()): Promise<Finding[]> {
  return runDashboard(what, { ask: openInflux(influx), bucket: influx.bucket, org: influx.org, now, pinned });
}

const shown = ({ panel, variable, outcome, detail }: Finding) => `${panel ?? variable}: ${outcome}: ${detail}`;

describe.skipIf(isMissing)('on a fleet in InfluxDB', { timeout: 60_000 }, () => {
  it.each([FLEET_NOW_UID, TERMINAL_UID])('every query of %s brings rows with the columns that its panel shows', async (uid) => {
    await filled();

    const findings = await run(dashboard(uid));

    expect(findings.filter(({ outcome }) => outcome !== 'ok').map(shown)).toEqual([]);
    expect(findings.length).toBe(dashboard(uid).panels.length + dashboard(uid).templating.list.length);
  });

  it('they tell what the fleet went through', async () => {
    await filled();

    const [states] = await rowsOf('Terminals by state');
    const offline = await rowsOf('Offline terminals');
    const alerts = await rowsOf('Firing alerts by type');
    const changes = await rowsOf('Latest changes of alerts');
    const limits = await rowsOf('Merchants nearest their limit');

    // The one that moved has two series.
    expect(new Set((await influx.points('presence')).map(({ tags }) => JSON.stringify(tags))).size).toBe(15);
    expect(states).toMatchObject({ online: 10, suspect: 0, offline: 2, unknown: 0, goodbye: 0, unregistered: 1 });
    expect(offline.map(({ acquirer, sn, merchant }) => `${acquirer}/${sn} ${merchant}`).toSorted()).toEqual([
      'acme/SN000002 m-1',
      'north/SN000002 m-1',
    ]);
    expect(alerts).toMatchObject([
      // Whoever talks reports reconnects, two a minute.
      { type: 'coverage.weakening', critical: 0, warning: 10, info: 0 },
      { type: 'quota.terminals', critical: 2, warning: 0, info: 0 },
      { type: 'terminal.offline', critical: 0, warning: 2, info: 0 },
    ]);
    for (const { acquirer, sn, since } of offline) {
      const [fired] = changes.filter((change) => change.acquirer === acquirer && change.sn === sn);
      expect(fired).toMatchObject({ transition: 'fired', reason: 'silent' });
      expect(Date.parse(String(since))).toBe(Date.parse(String(fired!.at)));
    }
    expect(limits.map(({ acquirer, merchant, used, limit, headroom }) => [acquirer, merchant, used, limit, headroom])).toEqual([
      ['acme', 'm-1', 4, 5, 1],
      ['north', 'm-1', 4, 5, 1],
      ['acme', 'm-2', 1, 20, 19],
      ['north', 'm-2', 1, 20, 19],
    ]);
  });

  it.each([
    ['a column', FLEET_NOW_UID, '"reclaimable"', '"reclaimed"', 'Merchants nearest their limit', 'it shows reclaimed, and the answer has'],
    ['a heading of a column', FLEET_NOW_UID, '"options": "cause"', '"options": "causes"', 'Latest changes of alerts', 'it shows causes'],
    ['a label', FLEET_NOW_UID, 'field.labels.class', 'field.labels.classes', 'Declines by class', 'no label "classes"'],
    ['a field', TERMINAL_UID, '"options": "signal_rsrp"', '"options": "signal_rsrpp"', 'Signal strength (RSRP)', 'it shows signal_rsrpp'],
    [
      'a column in the query',
      FLEET_NOW_UID,
      'r.held + r.pending',
      'r.helt + r.pending',
      'Merchants nearest their limit',
      'no row has a value in used',
    ],
    ['Flux', TERMINAL_UID, 'fn: max', 'fn: maximum', 'Risk of a drop', 'InfluxDB says: '],
  ])('%s that is wrong makes its panel wrong', async (_, uid, from, to, panel, detail) => {
    await filled();

    const findings = await run(dashboard(uid, [from, to]));

    expect(findings.filter(({ outcome }) => outcome !== 'ok')).toEqual([
      { dashboard: uid, panel, outcome: 'wrong', detail: expect.stringContaining(detail) },
    ]);
  });

  it('a table that comes in pieces is wrong, as one piece would be shown', async () => {
    await filled();
    const pieces = dashboard(FLEET_NOW_UID, ['|> limit(n: 200)', '|> group(columns: [\\"acquirer\\"])']);

    const { outcome, detail } = (await run(pieces)).find(({ panel }) => panel === 'Merchants nearest their limit')!;

    expect([outcome, detail]).toEqual(['wrong', 'the answer has 2 tables, and one is shown: group them']);
  });

  it('a terminal that never reported brings no rows, which is nothing wrong', async () => {
    await filled();

    const findings = await run(dashboard(TERMINAL_UID), { acquirer: 'acme', sn: 'SN999999' });

    expect(findings.find(({ panel }) => panel === 'Risk of a drop')).toMatchObject({ outcome: 'empty', detail: 'no rows' });
    expect(findings.filter(({ outcome }) => outcome === 'wrong')).toEqual([]);
  });

  it('a terminal of which nothing is known but that it reports has a page all the same', async () => {
    await filled();

    const findings = await run(dashboard(TERMINAL_UID), { acquirer: 'strange', sn: 'SN000009' });

    expect(findings.filter(({ outcome }) => outcome === 'wrong')).toEqual([]);
    expect(findings).toContainEqual({ dashboard: TERMINAL_UID, panel: 'What it is', outcome: 'ok', detail: '1 table' });
  });

  it('a field that nobody reports is told apart from one that cannot be', async () => {
    await filled();
    const unreported = dashboard(TERMINAL_UID, ['radio_sinrP10', 'radio_noisySeconds']);

    const { outcome, detail } = (await run(unreported)).find(({ panel }) => panel === 'Signal to noise (SINR)')!;

    expect([outcome, detail]).toEqual(['partly', 'no rows of radio_noisySeconds']);
  });

  it('"dashboards check" runs the queries, and says it all as JSON', async () => {
    await filled();

    const plain = await cli(['dashboards', 'check', '--terminal', 'north/SN000001'], { env: env() });
    const json = await cli(['dashboards', 'check', '--json'], { env: env() });

    expect([plain.code, plain.said]).toEqual([0, []]);
    expect(plain.out).toContain('ok      tillwatch-fleet-now: panel "Offline terminals": 1 table');
    expect(json.code).toBe(0);
    const { structure, findings } = JSON.parse(json.out.join(''));
    expect([structure, findings.length]).toEqual([[], plain.out.length - 2]);
  });

  it('"dashboards check" of a terminal that it does not hold ends with 1 and says so', async () => {
    await filled();

    for (const key of ['acme/SN999999', 'nobody/SN000001']) {
      const { code, out, said } = await cli(['dashboards', 'check', '--terminal', key], { env: env() });

      expect([code, out]).toEqual([1, []]);
      expect(said).toEqual([expect.stringMatching(new RegExp(`^tillwatch: --terminal: there is no terminal ${key} in this InfluxDB`))]);
    }
  });

  it.each([
    ['refuses the token', { INFLUX_TOKEN: 'a-wrong-token' }, 'unauthorized'],
    ['has no such bucket', { INFLUX_BUCKET: 'nowhere' }, 'could not find bucket'],
    ['cannot be reached', { INFLUX_URL: 'http://127.0.0.1:1' }, 'ECONNREFUSED'],
  ])('"dashboards check" ends with 1 and one line where InfluxDB %s, and shows no secret', async (_, wrong, why) => {
    const { code, out, said } = await cli(['dashboards', 'check'], { env: { ...env(), ...wrong } });

    expect([code, out]).toEqual([1, []]);
    expect(said).toEqual([expect.stringMatching(new RegExp(`^tillwatch: InfluxDB at http://127.* answers no query \\(.*${why}`))]);
    for (const secret of [influx.token, 'a-wrong-token']) expect(said.join('')).not.toContain(secret);
  });
});

/** What a panel of *Fleet now* shows for all acquirers. */
function rowsOf(title: string) {
  const { panels, time } = dashboard(FLEET_NOW_UID);
  const [{ query = '' } = {}] = panels.find((panel) => panel.title === title)?.targets ?? [];
  const [from, to] = [time.from, time.to].map((text) => timeOf(text, Date.now())!) as [number, number];
  const { bucket, org } = influx;
  return influx.query(
    fillSurroundings(fillVariables(query, new Map([['acquirer', { all: '.*' }]])), { from, to, windowSeconds: 300, bucket, org }),
  );
}

function env() {
  const { url, token, org, bucket } = influx;
  return { INFLUX_URL: url, INFLUX_TOKEN: token, INFLUX_ORG: org, INFLUX_BUCKET: bucket };
}
