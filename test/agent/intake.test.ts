import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Intake } from '../../agent/intake.ts';
import { Outbox } from '../../agent/outbox.ts';
import { linkProbe } from '../../agent/probes/link.ts';
import type { Probe } from '../../agent/probes/probe.ts';
import { decodePayload } from '../../protocol/codec/decode.ts';
import { MAX_WIRE_BYTES } from '../../protocol/codec/limits.ts';
import type { Report } from '../../protocol/schemas/messages.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { eventually } from '../helpers/eventually.ts';
import { tempDir } from '../helpers/tempdir.ts';
import { TestTime } from './support/time.ts';

/** Tells the samples that the test has put into `due`, in one read or in `batch`es. */
class ListProbe implements Probe {
  readonly name = 'list';
  readonly recorded: boolean;
  due: Sample[] = [];
  ended = false;
  reads = 0;

  constructor(recorded = false) {
    this.recorded = recorded;
  }

  nextAt(): number | null {
    return this.due.length > 0 ? 0 : this.ended ? null : Number.MAX_SAFE_INTEGER;
  }

  async read(): Promise<Sample[]> {
    this.reads++;
    return this.due.splice(0, 100);
  }

  async close(): Promise<void> {}
}

async function testIntake(probeFor: (time: TestTime) => Probe, maxBytes?: number) {
  const time = new TestTime();
  const lines: string[] = [];
  const outbox = await Outbox.open({ dir: await tempDir(), ...(maxBytes ? { maxBytes } : {}) });
  const intake = new Intake({
    probe: probeFor(time),
    outbox,
    session: 's0',
    intervalSeconds: 60,
    now: time.now,
    timers: time.timers,
    log: (line) => lines.push(line),
    onStored: () => {},
  });
  onTestFinished(async () => {
    await intake.stop();
    await outbox.close();
  });
  const reports = async () => {
    const stored = await outbox.next(0, 10_000);
    return stored.flatMap(({ channel, payload }) => {
      const decoded = decodePayload(channel, payload);
      if (!decoded.ok) throw new Error(decoded.detail);
      return channel === 'report' ? [decoded.message.body as Report] : [];
    });
  };
  const told = async () => (await reports()).map((r) => [r.session, r.seq, r.samples.length]);
  return { intake, outbox, time, lines, reports, told };
}

const samples = (n: number, from = 1000): Sample[] => Array.from({ length: n }, (_, i) => ({ at: from + i }));

describe('the intake', () => {
  test('reports the first sample at once, then one report an interval', async () => {
    const probe = new ListProbe();
    const { intake, time, told } = await testIntake(() => probe);
    probe.due = samples(1);
    intake.start();
    await eventually(async () => expect(await told()).toEqual([['s0', 0, 1]]));

    probe.due = samples(2, 2000);
    intake.wake();
    await eventually(() => expect(probe.reads).toBe(2));
    time.advance(59_999);
    expect(await told()).toEqual([['s0', 0, 1]]);
    time.advance(1);

    await eventually(async () =>
      expect(await told()).toEqual([
        ['s0', 0, 1],
        ['s0', 1, 2],
      ]),
    );
  });

  test('reports as soon as a report is full', async () => {
    const probe = new ListProbe();
    const { intake, told, reports } = await testIntake(() => probe);
    probe.due = samples(750);
    probe.ended = true;

    intake.start();
    await intake.done;

    expect(await told()).toEqual([
      ['s0', 0, 100],
      ['s0', 1, 300],
      ['s0', 2, 300],
      ['s0', 3, 50],
    ]);
    expect((await reports()).flatMap((r) => r.samples)).toEqual(samples(750));
  });

  test('splits what does not fit on the wire, keeps every sample once and in order, and leaves out one that cannot fit at all', async () => {
    const label = () => randomBytes(64).toString('hex');
    const heavy = (at: number, n: number): Sample => ({
      at,
      outcomes: Array.from({ length: n }, () => ({ system: label(), code: label(), n: 1 })),
    });
    const probe = new ListProbe();
    const { intake, lines, reports, outbox } = await testIntake(() => probe);
    probe.due = [
      ...Array.from({ length: 10 }, (_, i) => heavy(i, 100)),
      heavy(10, 1000),
      ...Array.from({ length: 3 }, (_, i) => heavy(11 + i, 100)),
    ];
    probe.ended = true;

    intake.start();
    await intake.done;

    const all = await reports();
    expect(all.flatMap((r) => r.samples.map((s) => s.at))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]);
    expect(all.map((r) => r.seq)).toEqual(all.map((_, i) => i));
    expect(all.length).toBeGreaterThan(1);
    for (const { payload } of await outbox.next(0, 100)) expect(payload.length).toBeLessThanOrEqual(MAX_WIRE_BYTES);
    expect(lines).toEqual([expect.stringMatching(/sample of 10 is too large/)]);
  });

  test('gives what was sampled before a new session to the one that ended, and counts the new one from 0', async () => {
    const probe = new ListProbe();
    const { intake, outbox, told } = await testIntake(() => probe);
    intake.start();
    probe.due = samples(1);
    intake.wake();
    await eventually(async () => expect(await told()).toEqual([['s0', 0, 1]]));
    probe.due = samples(2, 2000);
    intake.wake();
    await eventually(() => expect(probe.reads).toBe(2));

    const boundary = intake.begin('s1');
    probe.due = samples(3, 3000);
    await intake.reportNow();

    expect(await told()).toEqual([
      ['s0', 0, 1],
      ['s0', 1, 2],
      ['s1', 0, 3],
    ]);
    expect((await outbox.next(boundary, 10)).map((m) => m.session)).toEqual(['s1']);
    expect((await outbox.next(0, 10, boundary)).map((m) => m.session)).toEqual(['s0', 's0']);
  });

  test('puts the answer to a command into the outbox, and does not count it', async () => {
    const probe = new ListProbe();
    const { intake, outbox } = await testIntake(() => probe);

    await intake.answer({ v: 1, id: 'c1', ok: true, error: null });
    probe.due = samples(1);
    await intake.reportNow();

    const stored = await outbox.next(0, 10);
    expect(stored.map(({ channel, seq }) => [channel, seq])).toEqual([
      ['ack', null],
      ['report', 0],
    ]);
    expect(decodePayload('ack', stored[0]!.payload)).toMatchObject({ ok: true, message: { body: { id: 'c1', ok: true } } });
  });

  test('keeps what was read when it is stopped', async () => {
    const probe = new ListProbe();
    const { intake, told, time } = await testIntake(() => probe);
    intake.start();
    probe.due = samples(1);
    intake.wake();
    await eventually(async () => expect((await told()).length).toBe(1));
    probe.due = samples(5, 2000);
    intake.wake();
    await eventually(() => expect(probe.reads).toBe(2));

    await intake.stop();

    expect((await told()).at(-1)).toEqual(['s0', 1, 5]);
    expect(time.waits).toEqual([]);
  });

  test('does not read a recorded probe while a quarter of the outbox is full, and goes on when there is room', async () => {
    const probe = new ListProbe(true);
    const heavy = (at: number): Sample => ({
      at,
      outcomes: [{ system: randomBytes(64).toString('hex'), code: randomBytes(64).toString('hex'), n: 1 }],
    });
    const { intake, outbox } = await testIntake(() => probe, 256 * 1024);
    probe.due = Array.from({ length: 2000 }, (_, i) => heavy(i));
    probe.ended = true;
    intake.start();
    await eventually(() => expect(outbox.bytes).toBeGreaterThan(64 * 1024));
    await eventually(() => expect(probe.reads).toBeGreaterThan(0));
    const readWhileFull = probe.reads;

    let delivered = 0;
    while (delivered < 2000) {
      const stored = await eventually(async () => {
        const next = await outbox.next(0, 100);
        expect(next.length).toBeGreaterThan(0);
        return next;
      });
      for (const { id, payload } of stored) {
        const decoded = decodePayload('report', payload);
        delivered += decoded.ok ? (decoded.message.body as Report).samples.length : 0;
        outbox.ack(id);
        intake.wake();
      }
    }
    await intake.done;

    expect(readWhileFull).toBeLessThan(20);
    expect(delivered).toBe(2000);
    expect(outbox.dropped).toBe(0);
  });

  test('reads the link each interval, also after the clock was set back', async () => {
    const { intake, time, reports } = await testIntake((t) => linkProbe(60, () => ({ reconnects: 0, connectedSeconds: 60 }), t.now));
    intake.start();
    await eventually(async () => expect((await reports()).length).toBe(1));
    await eventually(() => expect(time.waits).toEqual([60_000, 60_000]));
    time.step(-3_600_000);

    for (let n = 2; n <= 4; n++) {
      time.advance(60_000);
      await eventually(async () => expect((await reports()).length).toBe(n));
      await eventually(() => expect(time.waits).toEqual([60_000, 60_000]));
    }

    expect((await reports())[0]!.samples[0]).toMatchObject({ link: { reconnects: 0, connectedSeconds: 60 } });
  });

  test('says that a probe failed, and that it is not done', async () => {
    const broken: Probe = {
      name: 'broken',
      recorded: false,
      nextAt: () => 0,
      read: () => Promise.reject(new Error('no modem')),
      close: async () => {},
    };
    const { intake, lines, time } = await testIntake(() => broken);

    intake.start();

    await expect(intake.done).rejects.toThrow('no modem');
    expect(lines).toEqual(['the probe broken failed: no modem']);
    await eventually(() => expect(time.waits).toEqual([60_000]));
  });
});
