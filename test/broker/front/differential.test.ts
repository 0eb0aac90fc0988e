import fc from 'fast-check';
import mqtt, { type Packet } from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../helpers/eventually.ts';
import { type BareBroker, bareBroker } from './brokers.ts';
import { BAD, GOOD_BYE, good, qos2, type Sent, TOO_LONG, UNFINISHED, usual, WITHOUT_ID } from './packets.ts';

const WITHIN_MS = 120_000;

interface Stream {
  /** Each is sent when all before it are answered. */
  bursts: Sent[][];
  /** What ends the connection, and what is sent behind it all the same. */
  end: Sent[];
  cuts: number[];
}

interface Outcome {
  log: Buffer[];
  /** What came back, kind by kind in the order it came: MQTT orders answers of a kind, and not those of two. */
  answers: { cmd: string }[];
  refusals: object;
  published: object;
}

/** Sends a stream as a new terminal, in the pieces that it is cut to, until its connection has ended. */
async function play(broker: BareBroker, sn: string, { bursts, end, cuts }: Stream): Promise<Outcome> {
  const { parts } = broker;
  const before = { refusals: parts.refusals.counts(), published: parts.publishing.counts(), records: broker.log.records.length };
  const client = await broker.terminal(`acme/${sn}`);
  // From here on it answers nothing by itself.
  client.socket.removeAllListeners('data').setNoDelay(true);
  const got = packetsFrom(client.socket);
  let expected = 0;
  for (const burst of bursts) {
    await send(client.socket, cut(bytesOf(burst, sn), cuts));
    expected += burst.reduce((sum, { answers }) => sum + answers, 0);
    await eventually(() => expect(got).toHaveLength(expected), { every: 1 });
  }
  await send(client.socket, cut(bytesOf(end, sn), cuts));
  if (end.at(-1) === UNFINISHED) client.socket.end();
  await client.closed;
  await eventually(() => expect([parts.sessions.count(), parts.intake.pending()]).toEqual([0, 0]), { every: 1 });
  return {
    log: broker.arrivals(before.records),
    answers: got.map(answerOf).toSorted((a, b) => a.cmd.localeCompare(b.cmd)),
    refusals: difference(parts.refusals.counts(), before.refusals),
    published: difference(parts.publishing.counts(), before.published),
  };
}

function answerOf(packet: Packet) {
  return { cmd: packet.cmd ?? '', messageId: packet.messageId, granted: 'granted' in packet ? packet.granted : undefined };
}

function packetsFrom(socket: NodeJS.ReadableStream): Packet[] {
  const packets: Packet[] = [];
  const parser = mqtt.parser();
  parser.on('packet', (packet) => packets.push(packet));
  socket.on('data', (chunk) => parser.parse(chunk));
  return packets;
}

async function send(socket: NodeJS.WritableStream & { destroyed: boolean }, pieces: Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (!socket.destroyed) socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function cut(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [...new Set(cuts.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], end));
}

function bytesOf(packets: Sent[], sn: string): Buffer {
  return Buffer.concat(packets.map((packet) => packet.bytes(sn)));
}

function difference(after: Record<string, number>, before: Record<string, number>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(after)
      .map(([key, value]) => [key, value - (before[key] ?? 0)])
      .filter(([, value]) => value),
  );
}

let serial = 0;
const nextSerial = () => `SN${String(++serial).padStart(6, '0')}`;
const both = async () => ({ front: await bareBroker('front'), plain: await bareBroker('plain') });

const cuts = fc.array(fc.nat(100_000), { maxLength: 8 });
const mixed = fc
  .tuple(fc.array(good, { maxLength: 12 }), fc.option(qos2, { nil: undefined, freq: 4 }), fc.nat())
  .map(([packets, message, at]) => (message ? packets.toSpliced(at % (packets.length + 1), 0, message) : packets));
const bursts = fc.array(fc.oneof({ weight: 2, arbitrary: fc.array(usual, { maxLength: 15 }) }, { weight: 1, arbitrary: mixed }), {
  maxLength: 4,
});
const bad = fc.constantFrom(...Object.values(BAD));
const behind = fc.array(good, { maxLength: 3 });

describe('the front, beside the same broker without it', () => {
  it('logs the same bytes, gives the same answers and ends the same way, whatever comes and however it is cut', {
    timeout: WITHIN_MS,
  }, async () => {
    const { front, plain } = await both();
    const end = fc.oneof(
      { weight: 3, arbitrary: fc.tuple(bad, behind).map(([packet, after]) => [packet, ...after]) },
      { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...Object.values(TOO_LONG)), behind).map(([packet, after]) => [packet, ...after]) },
      { weight: 1, arbitrary: fc.constantFrom(GOOD_BYE, UNFINISHED, WITHOUT_ID).map((packet) => [packet]) },
    );
    await fc.assert(
      fc.asyncProperty(fc.record({ bursts, end, cuts }), async (stream) => {
        const sn = nextSerial();
        expect(await play(front, sn, stream)).toEqual(await play(plain, sn, stream));
      }),
      { seed: 11, numRuns: 120 },
    );
    expect(front.throughAedes.length).toBeLessThan(plain.throughAedes.length / 2);
  });

  it('logs the same bytes before a packet that ends the connection, also where nobody waits for answers', {
    timeout: WITHIN_MS,
  }, async () => {
    const { front, plain } = await both();
    await fc.assert(
      fc.asyncProperty(bursts, bad, cuts, async (list, last, places) => {
        const sn = nextSerial();
        const stream = { bursts: [], end: [...list.flat(), last], cuts: places };
        const [ours, theirs] = [await play(front, sn, stream), await play(plain, sn, stream)];
        expect({ ...ours, answers: [] }).toEqual({ ...theirs, answers: [] });
      }),
      { seed: 12, numRuns: 60 },
    );
  });
});
