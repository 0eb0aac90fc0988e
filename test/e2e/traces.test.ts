import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { agentConfigFromEnv } from '../../agent/config.ts';
import { runOnce, systemDeps } from '../../agent/run.ts';
import { openDuckDbStore } from '../../collector/store/duckdb.ts';
import { startInflux } from '../helpers/influx.ts';
import { Installation } from '../helpers/installation.ts';
import { lacks } from '../helpers/servers.ts';
import { FOR_EVER } from '../helpers/store.ts';
import { tempDir } from '../helpers/tempdir.ts';

const MADE_UP = fileURLToPath(new URL('../fixtures/traces/made-up.csv', import.meta.url));
const RECORDED = fileURLToPath(new URL('../../../shared/data/signal-traces', import.meta.url));
const recorded = existsSync(RECORDED) ? readdirSync(RECORDED).filter((name) => name.endsWith('.csv')) : [];
/** The smallest of each kind; all of them with TILLWATCH_ALL_TRACES=1. */
const played = process.env.TILLWATCH_ALL_TRACES ? recorded : recorded.filter((_, i) => i % 20 === 0);

const WITHIN_MS = 60_000;

/** What a trace's rows say, by the second they say it of: RSRP on LTE and 5G where it is known. */
interface Row {
  second: number;
  rsrp: number | null;
}

function rowsOf(path: string): Row[] {
  const [header = '', ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const column = (name: string) => header.split(',').indexOf(name);
  const [time, mode, rsrp] = [column('Timestamp'), column('NetworkMode'), column('RSRP')];
  // A recorder's clock that goes back is held where it was: a terminal's samples are in order.
  let latest = 0;
  return lines.map((line) => {
    const cells = line.split(',');
    const [date, clock] = cells[time]!.split('_');
    latest = Math.max(latest, Date.parse(`${date!.replaceAll('.', '-')}T${clock!.replaceAll('.', ':')}Z`));
    const isKnown = /^(LTE|5G)$/.test(cells[mode]!) && !['-', '', '-200'].includes(cells[rsrp]!);
    return { second: latest, rsrp: isKnown ? Number(cells[rsrp]) : null };
  });
}

/** Each row against the point at its place: same second, same RSRP, and no two points at one time. */
function expectSampleForSample(rows: readonly Row[], points: readonly { at: number; rsrp: number | null }[]): void {
  expect(new Set(points.map(({ at }) => at)).size).toBe(rows.length);
  expect(points.map(({ at, rsrp }) => ({ second: Math.floor(at / 1000) * 1000, rsrp }))).toEqual(rows);
}

async function play(installation: Installation, path: string, sn: string): Promise<void> {
  const config = agentConfigFromEnv({
    TILLWATCH_AGENT_URL: `mqtt://127.0.0.1:${installation.mqttPort()}`,
    TILLWATCH_AGENT_ACQUIRER: 'acme',
    TILLWATCH_AGENT_SN: sn,
    TILLWATCH_AGENT_TOKEN: installation.token(`acme/${sn}`),
    TILLWATCH_AGENT_OUTBOX: await tempDir(),
    TILLWATCH_AGENT_TRACE: path,
    TILLWATCH_AGENT_SPEED: '0',
  });
  if (!config.ok) throw new Error(config.problems.join('\n'));
  const result = await runOnce(
    config.value,
    systemDeps(new AbortController().signal, () => {}),
  );
  expect(result.ok).toBe(true);
}

/** Serial numbers by trace, so that each has a terminal of its own. */
const traces = [MADE_UP, ...played.map((name) => join(RECORDED, name))].map((path, i) => ({ path, sn: `TRACE${i + 1000}` }));

describe(`recorded traces (${recorded.length > 0 ? `${played.length} of ${recorded.length}` : 'made-up ones alone: ../shared/data/signal-traces is missing'})`, () => {
  it('arrive sample for sample in DuckDB', async () => {
    const installation = await Installation.create();
    await installation.start('start').ready();

    for (const { path, sn } of traces) await play(installation, path, sn);
    await installation.settled(WITHIN_MS);
    await installation.stopAll();

    const store = await openDuckDbStore(installation.paths.store, FOR_EVER);
    onTestFinished(() => store.close());
    for (const { path, sn } of traces) {
      const rows = await store.query('select "at", signal_rsrp from terminal where sn = $1 order by "at"', [sn]);
      const points = rows.map((row) => ({ at: Number(row.at), rsrp: row.signal_rsrp === null ? null : Number(row.signal_rsrp) }));
      expectSampleForSample(rowsOf(path), points);
    }
  }, 300_000);

  it.skipIf(lacks('influxd'))(
    'arrive sample for sample in InfluxDB',
    async () => {
      const influx = await startInflux();
      onTestFinished(() => influx.stop());
      const { url, token, org, bucket } = influx;
      const installation = await Installation.create({ INFLUX_URL: url, INFLUX_TOKEN: token, INFLUX_ORG: org, INFLUX_BUCKET: bucket });
      await installation.start('start').ready();

      for (const { path, sn } of traces) await play(installation, path, sn);
      await installation.settled(WITHIN_MS);

      const stored = await influx.points('terminal');
      for (const { path, sn } of traces) {
        const points = stored
          .filter(({ tags }) => tags.sn === sn)
          .map(({ time, fields }) => ({ at: Date.parse(time), rsrp: (fields.signal_rsrp as number) ?? null }));
        expectSampleForSample(
          rowsOf(path),
          points.toSorted((a, b) => a.at - b.at),
        );
      }
    },
    300_000,
  );
});

it('finds a trace of each name once', () => {
  expect(new Set(traces.map(({ path }) => basename(path))).size).toBe(traces.length);
});
