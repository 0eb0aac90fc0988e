import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AgentConfig } from '../../agent/config.ts';
import { Outbox } from '../../agent/outbox.ts';
import { type AgentDeps, runAgent, runOnce, systemDeps } from '../../agent/run.ts';
import type { Report } from '../../protocol/schemas/messages.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { startBroker, type TestBroker } from './support/broker.ts';
import { seeded } from './support/numbers.ts';
import { TestTime } from './support/time.ts';

/** Where the clock of a test stands at first. */
const START = new TestTime().now();
const MADE_UP = 'test/fixtures/traces/made-up.csv';
const RECORDED = '../shared/data/signal-traces/netflix_driving_2019.11.21_10.20.17.csv';

async function settings(port: number, overrides: Partial<AgentConfig> = {}): Promise<AgentConfig> {
  return {
    address: { tls: false, host: '127.0.0.1', port },
    acquirer: 'acme',
    sn: 'SN000001',
    token: 'tw1.secret',
    outbox: await tempDir(),
    interval: 60,
    keepalive: 90,
    speed: 0,
    ...overrides,
  };
}

function testDeps(seed = 1) {
  const time = new TestTime();
  const lines: string[] = [];
  const stop = new AbortController();
  const deps: AgentDeps = {
    now: time.now,
    random: seeded(seed),
    timers: time.timers,
    log: (line) => lines.push(line),
    signal: stop.signal,
  };
  return { deps, time, lines, stop };
}

const reports = (broker: TestBroker) => broker.on('report').map((a) => a.message.body as Report);
const states = (broker: TestBroker) => broker.on('state').map((a) => (a.message.body as { state: string }).state);

describe('the agent, run once', () => {
  test('sends one sample of its link, waits for the acknowledgement, and says goodbye', async () => {
    const broker = await startBroker();
    const { deps, time } = testDeps();

    const result = await runOnce(await settings(broker.port), deps);

    expect(result).toEqual({ ok: true, sent: 1 });
    expect(reports(broker).map((r) => [r.seq, r.samples])).toEqual([
      [0, [{ at: deps.now(), link: { reconnects: 0, connectedSeconds: 0 } }]],
    ]);
    expect(states(broker)).toEqual(['online', 'goodbye']);
    expect(time.waits).toEqual([]);
    expect(new Set(broker.arrivals.map((a) => (a.message.body as { session: string }).session)).size).toBe(1);
  });

  test('sends a whole trace, and what an earlier run left in the outbox after it', async () => {
    const broker = await startBroker();
    const config = await settings(broker.port, { trace: MADE_UP, speed: 0 });
    broker.control.holdReports = true;
    const first = testDeps();
    const failed = runOnce(config, first.deps);
    await eventually(() => expect(broker.held.length).toBe(1));
    first.stop.abort();
    await eventually(() => {
      first.time.advance(0);
      return expect(Promise.race([failed, Promise.resolve('waiting')])).resolves.toMatchObject({ ok: false, error: { code: 'stopped' } });
    });
    broker.control.holdReports = false;
    broker.arrivals.length = 0;

    const result = await runOnce(config, testDeps(2).deps);

    expect(result).toEqual({ ok: true, sent: 2 });
    const [own, left] = reports(broker);
    expect(own!.samples.length).toBe(7);
    expect(left!.samples).toEqual(own!.samples);
    expect(own!.session).not.toBe(left!.session);
  });

  test.skipIf(!existsSync(RECORDED))('sends a recorded trace sample for sample over the real clock', async () => {
    const broker = await startBroker();

    const result = await runOnce(
      await settings(broker.port, { trace: RECORDED }),
      systemDeps(new AbortController().signal, () => {}),
    );

    const samples = reports(broker).flatMap((r) => r.samples);
    expect(result.ok).toBe(true);
    expect(samples.length).toBe(268);
    expect(new Set(samples.map((s) => s.at)).size).toBe(samples.length);
    expect(reports(broker).map((r) => r.seq)).toEqual(reports(broker).map((_, i) => i));
  });

  test('fails with one clear line where the broker cannot be reached in time, and keeps no sample', async () => {
    const { deps, time } = testDeps();
    const config = await settings(1);
    const running = runOnce(config, deps);
    await eventually(() => expect(time.waits.length).toBe(2));

    time.advance(30_000);

    const result = await running;
    expect(result).toMatchObject({ ok: false, error: { code: 'unreachable', retry: true } });
    expect(result.ok ? '' : result.error.message).toMatch(/cannot be reached.*mqtt:\/\/127\.0\.0\.1:1: ECONNREFUSED/);
    expect(await readdir(join(config.outbox, 'acme', 'SN000001'))).toEqual([]);
  });

  test('says at the first failure that it tries again; stopped then, that it keeps nothing, as nothing was read', async () => {
    const { deps, lines, stop, time } = testDeps();
    const config = await settings(1, { trace: MADE_UP });
    const running = runOnce(config, deps);
    await eventually(() =>
      expect(lines).toEqual([expect.stringMatching(/mqtt:\/\/127\.0\.0\.1:1: ECONNREFUSED\); trying again, until 30 s/)]),
    );
    await eventually(() => {
      time.advance(1_000);
      expect(time.now() - START).toBeGreaterThan(10_000);
    });
    expect(lines).toHaveLength(1);

    stop.abort();

    const result = await running;
    const kept = `messages that are kept in the outbox ${join(config.outbox, 'acme', 'SN000001')}: 0; the rest had not been read`;
    expect(result.ok ? '' : result.error.message).toBe(`stopped before all was sent (${kept})`);
  });

  test('counts what it keeps after it has stopped, with what was read and not yet reported', async () => {
    const broker = await startBroker();
    broker.control.holdReports = true;
    const { deps, time, stop } = testDeps();
    const config = await settings(broker.port, { trace: MADE_UP, speed: 1 });
    const running = runOnce(config, deps);
    await eventually(() => expect(broker.held.length).toBe(1));
    time.advance(2_000);

    stop.abort();

    const result = await eventually(() => {
      time.advance(0);
      return Promise.race([running, Promise.reject(new Error('it has not stopped'))]);
    });
    const dir = join(config.outbox, 'acme', 'SN000001');
    expect(result.ok ? '' : result.error.message).toBe(`stopped before all was sent (messages that are kept in the outbox ${dir}: 2)`);
    const { size } = await Outbox.open({ dir, onDropped: () => {} });
    expect(size).toBe(2);
  });

  test('fails at once where its token is refused, without showing it', async () => {
    const broker = await startBroker();
    broker.control.refuseWith = 5;
    const { deps, lines } = testDeps();

    const result = await runOnce(await settings(broker.port), deps);

    expect(result).toMatchObject({ ok: false, error: { code: 'refused', retry: false } });
    expect(JSON.stringify([lines, result.ok ? '' : result.error.message])).not.toContain('secret');
  });

  test('fails where nothing is acknowledged for half a minute, and keeps what was sampled', async () => {
    const broker = await startBroker();
    broker.control.holdReports = true;
    const { deps, time } = testDeps();
    const config = await settings(broker.port, { trace: MADE_UP });
    const running = runOnce(config, deps);
    await eventually(() => expect(broker.held.length).toBe(1));

    await eventually(() => {
      time.advance(30_000);
      return expect(Promise.race([running, Promise.resolve('waiting')])).resolves.toMatchObject({
        ok: false,
        error: { code: 'unacknowledged' },
      });
    });
    expect((await readdir(join(config.outbox, 'acme', 'SN000001'))).filter((n) => n.endsWith('.messages')).length).toBe(1);
  });

  test('fails before it connects where its trace or its outbox cannot be used', async () => {
    const broker = await startBroker();
    const config = await settings(broker.port);

    const noTrace = await runOnce({ ...config, trace: '/nowhere.csv' }, testDeps().deps);
    const noOutbox = await runOnce({ ...config, outbox: '/dev/null' }, testDeps().deps);

    expect(noTrace).toMatchObject({ ok: false, error: { code: 'trace_unreadable' } });
    expect(noOutbox).toMatchObject({ ok: false, error: { code: 'outbox_failed' } });
    expect(broker.logins).toEqual([]);
  });
});

describe('the agent, running', () => {
  test('reports each interval, answers commands over the same way, and stops cleanly', async () => {
    const broker = await startBroker();
    const { deps, time, stop } = testDeps();
    const subscribed = new Promise((resolve) => broker.aedes.once('subscribe', resolve));
    const running = runAgent(await settings(broker.port, { interval: 60 }), deps);
    await subscribed;
    await eventually(() => expect(reports(broker).length).toBe(1));

    for (let n = 2; n <= 3; n++) {
      await eventually(() => expect(time.waits.filter((ms) => ms === 60_000).length).toBeGreaterThanOrEqual(2));
      time.advance(60_000);
      await eventually(() => expect(reports(broker).length).toBe(n));
    }
    await broker.command('pos/v1/acme/SN000001/cmd', { v: 1, id: 'c1', type: 'report_now' });
    await eventually(() => expect(broker.on('ack').map((a) => a.message.body)).toEqual([{ v: 1, id: 'c1', ok: true, error: null }]));
    await eventually(() => expect(reports(broker).length).toBe(4));
    stop.abort();
    await running;

    const session = (broker.on('birth')[0]!.message.body as { session: string }).session;
    const own = reports(broker).filter((r) => r.session === session);
    expect(own.map((r) => r.seq)).toEqual(own.map((_, i) => i));
    expect(own.length).toBeGreaterThanOrEqual(3);
    expect(states(broker)).toEqual(['online', 'goodbye']);
    expect(time.waits).toEqual([]);
  });

  test('keeps sampling while the broker is away, and delivers all of it in order when it is back', async () => {
    const broker = await startBroker();
    const { deps, time, stop } = testDeps();
    const running = runAgent(await settings(broker.port, { interval: 60, keepalive: 1200 }), deps);
    await eventually(() => expect(states(broker)).toEqual(['online']));
    await eventually(() => expect(reports(broker).length).toBe(1));
    broker.control.refuseWith = 3;
    broker.breakAll();
    await eventually(() => expect(states(broker)).toEqual(['online', 'lost']));
    const start = time.now();

    for (let minute = 1; minute <= 30; minute++) {
      await eventually(() => expect(time.waits.filter((ms) => ms === 60_000).length).toBeGreaterThanOrEqual(2));
      time.advance(60_000);
    }
    broker.control.refuseWith = 0;
    await eventually(() => {
      time.advance(10_000);
      expect(broker.logins.length).toBe(2);
    });
    await eventually(() => expect(reports(broker).length).toBeGreaterThanOrEqual(30));
    stop.abort();
    await running;

    const first = (broker.on('birth')[0]!.message.body as { session: string }).session;
    const late = reports(broker).filter((r) => r.session === first && r.samples[0]!.at > start);
    expect(late.length).toBeGreaterThanOrEqual(25);
    expect(late.map((r) => r.seq)).toEqual(late.map((_, i) => late[0]!.seq + i));
    const times = late.flatMap((r) => r.samples.map((s) => s.at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});
