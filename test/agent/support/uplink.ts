import { onTestFinished } from 'vitest';
import { Outbox } from '../../../agent/outbox.ts';
import { LinkMeter } from '../../../agent/uplink/meter.ts';
import { troubleOf, Uplink, type UplinkOptions } from '../../../agent/uplink.ts';
import { eventually } from '../../helpers/eventually.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { seeded } from './numbers.ts';
import { TestTime } from './time.ts';

export const TERMINAL = { acquirer: 'acme', sn: 'SN000001' };

/** An uplink to a broker's port with an outbox of its own, on a clock that the test moves. Whoever puts counts for itself. */
export async function testUplink(port: number, overrides: Partial<UplinkOptions> = {}) {
  const time = new TestTime();
  const lines: string[] = [];
  const sessions: string[] = [];
  const outbox = overrides.outbox ?? (await Outbox.open({ dir: await tempDir() }));
  const meter = new LinkMeter(time.now);
  const uplink: Uplink = new Uplink({
    address: { tls: false, host: '127.0.0.1', port },
    terminal: TERMINAL,
    token: 'tw1.secret',
    identity: { merchant: 'm-1', interval: 300, keepalive: 330 },
    outbox,
    meter,
    now: time.now,
    random: seeded(1),
    timers: time.timers,
    log: (line) => lines.push(line),
    onSession: (session) => {
      sessions.push(session);
      return outbox.lastId;
    },
    onReportNow: async () => {},
    onAnswer: async () => {},
    onAcknowledged: () => {},
    onEnding: (ending, isNew) => {
      if (isNew) lines.push(troubleOf({ tls: false, host: '127.0.0.1', port }, ending).message);
    },
    ...overrides,
  });
  /** Puts the messages `from` to `to` of a session, and tells the uplink. */
  const put = async (session: string, from: number, to: number) => {
    for (let seq = from; seq <= to; seq++) {
      const payload = Buffer.from(JSON.stringify({ v: 1, session, seq, samples: [{ at: time.now() + seq }] }));
      await outbox.put({ session, seq, channel: 'report', payload });
    }
    uplink.wake();
  };
  onTestFinished(async () => {
    const stopped = uplink.stop(0);
    await eventually(() => {
      time.advance(0);
      return settled(stopped);
    });
    await outbox.close().catch(() => {});
  });
  return { uplink, outbox, time, lines, sessions, meter, put };
}

/** Rejects where the promise has not resolved yet. */
function settled(promise: Promise<void>): Promise<void> {
  return Promise.race([promise, new Promise<void>((_, reject) => setImmediate(() => reject(new Error('not yet stopped'))))]);
}
