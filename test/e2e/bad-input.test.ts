/** What terminals and strangers send wrongly, against the whole product: refused or kept with its reason, counted, and nobody's loss. */
import { connect } from 'node:net';
import { deflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { TerminalView } from '../../collector/api/views.ts';
import type { Quarantined } from '../../collector/owner/outputs.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { onTestFinished, sideBySide } from '../helpers/side-by-side.ts';

const YEAR_MS = 365 * 86_400_000;
const topic = (sn: string, channel = 'report') => `pos/v1/acme/${sn}/${channel}`;

/** A running product, and a neighbour that reports between any two things that happen. */
async function product() {
  const installation = await Installation.create();
  const process = installation.start('start');
  await process.ready();
  const port = installation.mqttPort()!;
  const terminal = (sn: string, more: Partial<Parameters<typeof connectMqtt>[0]> = {}) =>
    connectMqtt({ port, username: `acme/${sn}`, password: installation.token(`acme/${sn}`), clientId: sn, ...more });
  const neighbour = await terminal('NEIGHBOUR');
  onTestFinished(() => neighbour.breakOff());
  let seq = 0;
  const report = () =>
    neighbour.publish(topic('NEIGHBOUR'), JSON.stringify({ v: 1, session: 'n', seq: ++seq, samples: [{ at: Date.now() }] }));
  return { installation, process, port, terminal, report, reports: () => seq };
}

async function quarantined(installation: Installation): Promise<Quarantined[]> {
  return (await installation.api<{ items: Quarantined[] }>('/v1/quarantine?limit=500')).items;
}

async function metric(installation: Installation, name: string): Promise<number> {
  const page = await (await fetch(`${installation.url}/metrics`)).text();
  const line = page.split('\n').find((text) => text.startsWith(`${name} `));
  return line === undefined ? 0 : Number(line.slice(name.length + 1));
}

const message = (samples: unknown, more: object = {}) => JSON.stringify({ v: 1, session: 's1', seq: 1, samples, ...more });

const UNREADABLE: [name: string, payload: string | Buffer, reason: string][] = [
  ['torn JSON', '{"v":1,"session":"s1","samples":[', 'bad_json'],
  ['NaN', '{"v":1,"session":"s1","seq":1,"samples":[{"at":1763798400000,"signal":{"rsrp":NaN}}]}', 'bad_json'],
  ['a number where a string belongs', message([{ at: 1_763_798_400_000 }], { session: 7 }), 'bad_schema'],
  ['a string where a number belongs', message([{ at: 'now' }]), 'bad_schema'],
  ['an impossible value', message([{ at: 1_763_798_400_000, signal: { rsrp: 9_999 } }]), 'bad_schema'],
  ['a time beyond all calendars', message([{ at: 1e15 }]), 'bad_schema'],
  ['no samples', message([]), 'bad_schema'],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), 'bad_utf8'],
  ['a bomb', deflateSync(Buffer.alloc(20 * 1024 * 1024)), 'inflated_too_large'],
  ['half a zlib stream', deflateSync(Buffer.from(message([{ at: 1 }]))).subarray(0, 20), 'bad_deflate'],
  ['columns of unequal length', JSON.stringify({ v: 1, session: 's1', seq: 1, at: [1, 2], cols: { 'signal.rsrp': [-90] } }), 'bad_columns'],
  ['nothing at all', '', 'bad_json'],
];

it.concurrent(
  'a payload that cannot be read is acknowledged and kept with its reason, its bytes and its sender, and is life all the same',
  sideBySide(async () => {
    const { installation, terminal, report, reports } = await product();
    const client = await terminal('SN000001');
    for (const [, payload] of UNREADABLE) {
      await client.publish(topic('SN000001'), payload);
      await report();
    }

    const kept = await eventually(async () => {
      const rows = await quarantined(installation);
      expect(rows).toHaveLength(UNREADABLE.length);
      return rows;
    });

    const inOrder = kept.toSorted((a, b) => batchOf(a) - batchOf(b));
    expect(inOrder.map(({ reason, from, channel, raw }) => ({ reason, from, channel, raw }))).toEqual(
      UNREADABLE.map(([, payload, reason]) => ({
        reason,
        from: 'acme/SN000001',
        channel: 'report',
        raw: Buffer.from(payload as Buffer).toString('base64'),
      })),
    );
    expect(await metric(installation, 'tillwatch_decisions_total{kind="message undecodable"}')).toBe(UNREADABLE.length);
    const { lastSeenAt, last } = await installation.api<TerminalView>('/v1/terminals/SN000001');
    expect([last, Date.now() - lastSeenAt! < 60_000]).toEqual([null, true]);
    await eventually(async () =>
      expect(await metric(installation, 'tillwatch_broker_published_total{kind="report"}')).toBe(UNREADABLE.length + reports()),
    );
    await client.disconnect();
    expect(installation.failures).toEqual([]);
  }),
);

function batchOf({ id }: Quarantined): number {
  const [batch, index] = id.split('-').map(Number) as [number, number];
  return batch * 10_000 + index;
}

/** What was refused is listed under these reasons (in any order), counted as often, and shows no secret; the neighbour lost nothing. */
async function expectRefused({ installation, process, reports }: Awaited<ReturnType<typeof product>>, reasons: string[], secret: string) {
  const listed = await eventually(async () => {
    const rows = await quarantined(installation);
    expect(rows).toHaveLength(reasons.length);
    return rows;
  });
  expect(listed.map(({ reason }) => reason).toSorted()).toEqual(reasons.toSorted());
  expect(listed.every(({ raw, channel }) => raw === null && channel === null)).toBe(true);
  for (const reason of new Set(reasons)) {
    const counted = await metric(installation, `tillwatch_broker_refusals_total{kind="${reason}"}`);
    expect([reason, counted]).toEqual([reason, reasons.filter((one) => one === reason).length]);
  }
  expect(JSON.stringify(listed) + process.said).not.toContain(secret);
  expect(await metric(installation, 'tillwatch_broker_published_total{kind="report"}')).toBe(reports());
  const { items } = await installation.api<{ items: TerminalView[] }>('/v1/terminals');
  expect(items.map(({ sn }) => sn)).toEqual(['NEIGHBOUR']);
  expect(items[0]!.last).not.toBeNull();
  expect(installation.failures).toEqual([]);
}

it.concurrent(
  'a log-in that is not its own is refused with its reason, counted and listed, and its neighbour reports on',
  sideBySide(async () => {
    const running = await product();
    const { installation, terminal, report } = running;
    const token = installation.token('acme/SN000001');
    const codes: number[] = [];
    for (const login of [
      { password: 'hello' },
      { password: `${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}` },
      { username: 'acme/SN000002' },
      { username: 'nobody' },
      { clientId: 'SN000002' },
    ]) {
      codes.push((await terminal('SN000001', login)).returnCode);
      await report();
    }

    expect(codes).toEqual([4, 4, 4, 4, 2]);
    await expectRefused(
      running,
      ['malformed', 'bad_signature', 'bad_signature', 'malformed_user', 'foreign_client_id'],
      token.slice(-20, -2),
    );
  }),
);

it.concurrent(
  'a packet that is not allowed ends its connection with its reason, counted and listed, and its neighbour reports on',
  sideBySide(async () => {
    const running = await product();
    const { installation, port, terminal, report } = running;
    const sent: [topic: string, payload: string | Buffer][] = [
      [topic('SN000002'), '{}'],
      ['pos/v1/bolt/SN000001/report', '{}'],
      ['home/door', '{}'],
      [topic('SN000001', 'cmd'), '{}'],
      ['$SYS/broker', '{}'],
      [topic('SN000001'), Buffer.alloc(70 * 1024, 'x')],
    ];
    for (const [to, payload] of sent) {
      const client = await terminal('SN000001');
      client.publish(to, payload).catch(() => {});
      await client.closed;
      await report();
    }
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n'));
      socket.on('error', () => {});
      socket.once('close', () => resolve());
    });
    await report();

    const reasons = ['foreign_topic', 'foreign_topic', 'not_our_topic', 'wrong_way', 'reserved_topic', 'oversized', 'bad_packet'];
    await expectRefused(running, reasons, installation.token('acme/SN000001').slice(-20));
  }),
);

it.concurrent.for([
  ['slow', -15 * YEAR_MS],
  ['fast', 10 * YEAR_MS],
] as const)(
  'a clock that is years %s is put right, and says by how much',
  sideBySide(async ([, offMs]) => {
    const { installation, terminal, report } = await product();
    const client = await terminal('SN000001');
    const clock = () => Date.now() + offMs;

    await client.publish(topic('SN000001', 'birth'), JSON.stringify({ v: 1, session: 's1', at: clock(), interval: 60 }));
    await client.publish(topic('SN000001'), message([{ at: clock() }]));
    await report();

    const found = await eventually(async () => {
      const terminalNow = await installation.api<TerminalView>('/v1/terminals/SN000001');
      expect(terminalNow.last).not.toBeNull();
      return terminalNow;
    });
    expect(Math.abs(found.skewMs! + offMs)).toBeLessThan(5_000);
    expect(Math.abs(found.last!.at - Date.now())).toBeLessThan(10_000);
    expect(await quarantined(installation)).toEqual([]);
    await client.disconnect();
  }),
);

it.concurrent(
  'a sample from the future in a session whose clock was right is kept aside with its reason, and its neighbours are taken',
  sideBySide(async () => {
    const { installation, terminal, report } = await product();
    const client = await terminal('SN000001');
    const now = Date.now();

    await client.publish(topic('SN000001', 'birth'), JSON.stringify({ v: 1, session: 's1', at: now, interval: 60 }));
    await client.publish(
      topic('SN000001'),
      message([
        { at: now + 10 * 365 * 86_400_000, signal: { rsrp: -60 } },
        { at: now, signal: { rsrp: -77 } },
      ]),
    );
    await report();

    const [kept] = await eventually(async () => {
      const rows = await quarantined(installation);
      expect(rows).toHaveLength(1);
      return rows;
    });
    expect(kept).toMatchObject({ from: 'acme/SN000001', reason: 'bad_time', detail: expect.stringMatching(/^samples 0: /) });
    const found = await installation.api<TerminalView>('/v1/terminals/SN000001');
    expect(found.last).toMatchObject({ at: now, signal: { rsrp: -77 } });
    await client.disconnect();
  }),
);
