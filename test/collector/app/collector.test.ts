import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prepareDataDir } from '../../../backbone/layout.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { systemClock } from '../../../collector/app/clock.ts';
import { type CollectorOptions, startCollector } from '../../../collector/app/collector.ts';
import { encodeRecord } from '../../../protocol/record.ts';
import { eventually } from '../../helpers/eventually.ts';
import { lacksMounts, smallDisk } from '../../helpers/small-disk.ts';
import { FOR_EVER } from '../../helpers/store.ts';
import { tempDir } from '../../helpers/tempdir.ts';

async function started(options: Partial<CollectorOptions> = {}) {
  const paths = options.paths ?? (await prepareDataDir(await tempDir()));
  const lines: string[] = [];
  const collector = await startCollector({
    paths,
    http: { host: '127.0.0.1', port: 0 },
    kept: FOR_EVER,
    maxSeries: 1_000,
    logDays: 30,
    quarantineDays: 30,
    clock: systemClock,
    random: randomBytes,
    say: (line) => void lines.push(line),
    ...options,
  });
  collector.failed.catch(() => {});
  onTestFinished(() => collector.stop());
  const admin = (await readFile(paths.adminToken, 'utf8')).trim();
  const get = (path: string) => fetch(collector.url + path, { headers: { authorization: `Bearer ${admin}` } });
  return { collector, paths, lines, get, admin };
}

/** The samples of a page in Prometheus' text format. Errors: throws on a line that is none. */
function samplesOf(page: string): Map<string, number> {
  const samples = new Map<string, number>();
  for (const line of page.split('\n').filter((text) => text !== '' && !/^# (HELP|TYPE) \w+ /.test(text))) {
    const match = /^([a-z_]\w*(?:\{(?:[a-z_]\w*="(?:[^"\\\n]|\\.)*",?)+\})?) (-?[\d.e+-]+|NaN|\+Inf)$/.exec(line);
    if (!match) throw new Error(`not a sample: ${line}`);
    samples.set(match[1]!, Number(match[2]));
  }
  return samples;
}

const T = 1_763_798_400_000;
const without = lacksMounts();

describe('the collector', () => {
  it('starts without waiting for a store that takes the connection and never answers', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const hurried = { ...systemClock, sleep: (ms: number, signal: AbortSignal) => systemClock.sleep(Math.min(ms, 20), signal) };

    const { lines } = await started({ influx: { url: `http://127.0.0.1:${port}`, token: 't', org: 'o', bucket: 'b' }, clock: hurried });

    expect(lines[0]).toMatch(/cannot be reached \(no answer within 3000 ms\): starting all the same/);
  });

  it('shows its metrics as Prometheus reads them, each time anew, and no secret', async () => {
    const kinds = { first: 1, 'a "quoted"\nkind': 2 };
    const { get, admin, paths } = await started({
      extraMetrics: () => [{ name: 'tillwatch_test_total', help: 'of this test', values: kinds }],
    });
    const log = await openSegmentWriter(paths.brokersLog);
    onTestFinished(() => log.close());
    const before = samplesOf(await (await get('/metrics')).text());
    const payload = Buffer.from(JSON.stringify({ v: 1, session: 's1', seq: 1, samples: [{ at: Date.now() }] }));
    const at = Date.now();
    await log.append([
      encodeRecord({ kind: 'heartbeat', at, node: 'n1', boot: 'b1', uptime: 1 }),
      encodeRecord({ kind: 'arrival', at, node: 'n1', acquirer: 'acme', sn: 'SN000001', channel: 'report', payload }),
      encodeRecord({ kind: 'heartbeat', at: at + 1, node: 'n1', boot: 'b1', uptime: 2 }),
    ]);

    const after = await eventually(async () => {
      const samples = samplesOf(await (await get('/metrics')).text());
      expect(samples.get('tillwatch_feed_points_total')).toBeGreaterThan(0);
      return samples;
    });

    expect(before.get('tillwatch_terminals')).toBe(0);
    expect(after.get('tillwatch_terminals')).toBe(1);
    expect(after.get('tillwatch_watch_lag_batches')).toBe(0);
    expect(after.get('tillwatch_decisions_total{kind="message new"}')).toBe(1);
    expect(after.get('tillwatch_test_total{kind="first"}')).toBe(1);
    expect(await (await get('/metrics')).text()).not.toContain(admin);
  });

  it('shows how good its warnings were, and knows it after a restart', async () => {
    const first = await started();
    const files = (...serials: string[]) => [
      { name: 'merchants.csv', text: 'acquirer,merchant,terminal_limit\nacme,m-1,4\n' },
      { name: 'terminals.csv', text: `acquirer,merchant,sn\n${serials.map((sn) => `acme,m-1,${sn}\n`).join('')}` },
    ];
    const bind = async (...serials: string[]) => {
      const headers = { authorization: `Bearer ${first.admin}` };
      const body = JSON.stringify({ files: files(...serials) });
      expect((await fetch(`${first.collector.url}/v1/imports`, { method: 'POST', headers, body })).status).toBe(201);
    };
    const ratios = async ({ get }: typeof first) => {
      const samples = samplesOf(await (await get('/metrics')).text());
      const names = ['tillwatch_warned_ratio', 'tillwatch_lead_time_seconds', 'tillwatch_false_warnings_ratio'];
      return names.map((name) => samples.get(`${name}{kind="quota.terminals quota.terminals"}`));
    };
    await bind('SN01', 'SN02', 'SN03');
    const firing = async () => ((await (await first.get('/v1/alerts?state=firing')).json()) as { items: unknown[] }).items;
    await eventually(async () => expect(await firing()).toHaveLength(1));
    expect(await ratios(first)).toEqual([undefined, undefined, undefined]);

    await bind('SN04');

    await eventually(async () => expect(await ratios(first)).toEqual([1, 0, 0]));
    await first.collector.stop();
    const second = await started({ paths: first.paths });
    await eventually(async () => expect(await ratios(second)).toEqual([1, 0, 0]));
    const report = (await (await second.get('/v1/reports/lead-time?acquirer=acme')).json()) as { items: unknown[] };
    expect(report.items).toContainEqual(expect.objectContaining({ event: 'quota.terminals', events: 1, warned: 1, cameTrue: 1 }));
  });

  it('writes down where it answers while it runs, for its own user alone, and no longer', async () => {
    const { collector, paths } = await started();

    expect(JSON.parse(await readFile(paths.runtime, 'utf8'))).toEqual({ pid: process.pid, http: collector.url });
    expect((await stat(paths.runtime)).mode & 0o777).toBe(0o600);
    await collector.stop();

    await expect(stat(paths.runtime)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(stat(paths.lock)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('makes one admin token, that works after every restart', async () => {
    const first = await started();
    expect(first.collector.adminToken.made).toBe(true);
    await first.collector.stop();

    const second = await started({ paths: first.paths });

    expect(second.collector.adminToken.made).toBe(false);
    expect(second.admin).toBe(first.admin);
    expect((await second.get('/v1/fleet')).status).toBe(200);
  });

  it('keeps tokens that were made over a restart', async () => {
    const first = await started();
    const answer = await fetch(`${first.collector.url}/v1/tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${first.admin}` },
      body: '{"role":"viewer"}',
    });
    const { token } = (await answer.json()) as { token: string };
    await first.collector.stop();

    const second = await started({ paths: first.paths });

    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${second.collector.url}/v1/fleet`, { headers })).status).toBe(200);
  });

  it.skipIf(without)(
    'is not ready while its disk is full, and says why; with space again it goes on by itself',
    async () => {
      const disk = await smallDisk(64);
      const paths = await prepareDataDir(`${disk.path}/data`);
      const log = await openSegmentWriter(paths.brokersLog, { segmentBytes: 1024 * 1024 });
      onTestFinished(() => log.close());
      const { get, lines } = await started({ paths });
      const ready = async () => {
        const answer = await get('/readyz');
        return [answer.status, ((await answer.json()) as { problems: string[] }).problems.join()] as const;
      };
      const uptime = performance.now();
      disk.fill();

      await eventually(
        async () => {
          await log.append([
            encodeRecord({ kind: 'heartbeat', at: Date.now(), node: 'n1', boot: 'b1', uptime: performance.now() - uptime }),
          ]);
          expect(await ready()).toEqual([503, expect.stringMatching(/disk is full.*nothing is lost/)]);
        },
        { within: 20_000, every: 500 },
      );
      disk.free();
      await eventually(async () => expect(await ready()).toEqual([200, '']), { within: 20_000, every: 200 });

      expect(lines.filter((line) => /all goes on/.test(line)).length).toBeGreaterThan(0);
    },
    60_000,
  );

  it("is not ready while the brokers' log is full, and shows how full it is", async () => {
    const { get, paths } = await started();
    const limits = { segmentBytes: 64 * 1024, maxBytes: 192 * 1024, consumers: ['somebody who never reads'] };
    const log = await openSegmentWriter(paths.brokersLog, limits);
    onTestFinished(() => log.close());
    const before = (await get('/readyz')).status;
    const fill = async () => {
      for (let n = 0; n < 100; n++) {
        await log.append([encodeRecord({ kind: 'refusal', at: T + n, node: 'n1', user: 'x', reason: 'y', detail: 'z'.repeat(9_000) })]);
      }
    };

    await expect(fill()).rejects.toMatchObject({ code: 'full' });

    const answer = await get('/readyz');
    const samples = samplesOf(await (await get('/metrics')).text());
    expect([before, answer.status]).toEqual([200, 503]);
    expect(await answer.json()).toMatchObject({ problems: [expect.stringMatching(/brokers' log is full.*no PUBACK/)] });
    expect([samples.get('tillwatch_log_fill_ratio{kind="size"}')! > 0.8, samples.get('tillwatch_log_full')]).toEqual([true, 1]);
  });

  it('that cannot listen leaves nothing open: the next one over the folder starts', async () => {
    const paths = await prepareDataDir(await tempDir());
    const first = await started();

    const refused = started({ paths, http: { host: '127.0.0.1', port: Number(new URL(first.collector.url).port) } });

    await expect(refused).rejects.toMatchObject({ code: 'EADDRINUSE' });
    await expect(started({ paths })).resolves.toBeDefined();
  });

  it('ends, and says so, when its log cannot be read any more', async () => {
    const { collector, paths } = await started();
    const log = await openSegmentWriter(paths.brokersLog, { segmentBytes: 64 * 1024 });
    onTestFinished(() => log.close());
    await log.append([Buffer.from([9, 0, 0, 0, 0, 0, 0, 0, 0])]);

    await expect(collector.failed).rejects.toThrow('a record of unknown kind 9');
  });
});
