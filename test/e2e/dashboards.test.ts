import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cliProcess } from '../cli/harness.ts';
import { eventually } from '../helpers/eventually.ts';
import { type Influx, startInflux } from '../helpers/influx.ts';
import { Installation, Process } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';

const TEST_MS = 120_000;
const TERMINALS = 60;
/** So that silence is told within seconds, and of each by itself. */
const RULES = { 'terminal.offline': { lostHoldSeconds: 1 }, outage: { leastTerminals: 1_000 } };

interface Finding {
  panel?: string;
  variable?: string;
  outcome: string;
  detail: string;
}

/** A terminal that sums its radio up, as some do: every panel has something to show of it. */
async function aTerminalWithAll({ query, bucket }: Influx): Promise<string> {
  const [row] = await query(
    `from(bucket: "${bucket}") |> range(start: -1h) |> filter(fn: (r) => r._measurement == "terminal" and r._field == "radio_risk") |> group() |> first()`,
  );
  return `${row!.acquirer}/${row!.sn}`;
}

describe.skipIf(lacks('influxd'))('the dashboards over a simulated fleet', () => {
  test('show every column of every panel, by the real InfluxDB that holds the fleet', { timeout: TEST_MS }, async () => {
    const influx = await startInflux();
    onTestFinished(() => influx.stop());
    const access = { INFLUX_URL: influx.url, INFLUX_TOKEN: influx.token, INFLUX_ORG: influx.org, INFLUX_BUCKET: influx.bucket };
    const installation = await Installation.create(access);
    const rules = join(installation.paths.root, 'rules.json');
    await writeFile(rules, JSON.stringify(RULES), { mode: 0o600 });
    await installation.start('start', { TILLWATCH_RULES: rules }).ready();
    const args = ['--terminals', String(TERMINALS), '--scenario', 'quiet', '--speed', '120x'];
    const url = `mqtt://127.0.0.1:${installation.mqttPort()}`;
    const fleet = new Process('simulate', [...args, '--url', url], { TILLWATCH_DATA_DIR: installation.paths.root });
    const count = async (measurement: string) => (await influx.points(measurement)).length;
    // What came of transactions is written when the minute is over.
    await eventually(async () => expect([(await count('terminal')) > 4 * TERMINALS, (await count('outcomes')) > 0]).toEqual([true, true]), {
      within: 90_000,
      every: 500,
    });

    // Everybody goes at once, and is told of.
    await fleet.end('SIGKILL');
    await eventually(async () => expect((await installation.alerts()).length).toBeGreaterThanOrEqual(TERMINALS), {
      within: 30_000,
      every: 200,
    });
    await installation.settled(30_000);
    const checked = await cliProcess(['dashboards', 'check', '--json', '--terminal', await aTerminalWithAll(influx)], access);

    const { structure, findings } = JSON.parse(checked.out.join('')) as { structure: unknown[]; findings: Finding[] };
    expect([checked.code, structure]).toEqual([0, []]);
    expect(findings.length).toBeGreaterThan(20);
    expect(findings.filter(({ outcome }) => outcome !== 'ok')).toEqual([]);
    expect(await installation.stopAll()).toEqual([0]);
  });
});
