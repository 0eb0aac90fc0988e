/**
 * Streams of packets, good and bad, at a broker's front and at Aedes without it, over connections in memory: a socket would cost more
 * than what it brings. Fifty at a time, each of another terminal, with a well-behaved one beside them.
 */
import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import mqtt, { type Packet } from 'mqtt-packet';
import { expect, it } from 'vitest';
import { decodeRecord } from '../../protocol/record.ts';
import { type BareBroker, bareBroker, openPlainly } from '../broker/front/brokers.ts';
import { BAD, good, qos2, type Sent, TOO_LONG, usual } from '../broker/front/packets.ts';
import { eventually } from '../helpers/eventually.ts';
import type { Budget } from './budget.ts';
import { applied, type Change, damage } from './json-text.ts';

/** Turns of the event loop that a round takes: until the last log-in is through. */
const TURNS = 12;
/** By then everything that is made once is made. */
const WARM_UP_ROUNDS = 20;
const MEGABYTE = 1024 * 1024;
/** All that a broker says; the first of it is a CONNACK. */
const ANSWERS = ['connack', 'puback', 'pubrec', 'pubrel', 'pubcomp', 'suback', 'unsuback', 'pingresp', 'publish'];

type Kind = 'front' | 'plain';

interface Stream {
  login: { version: 3 | 4 | 5; clean: boolean; hasWill: boolean; isRight: boolean };
  packets: Sent[];
  /** Changes to the CONNECT, and to what follows it. */
  damages: [Change<Buffer>[], Change<Buffer>[]];
  cuts: number[];
  /** After how many turns it breaks off, where it does not end as it should. */
  breaksAfter: number | undefined;
}

const none = fc.constant<Change<Buffer>[]>([]);
const some = fc.array(damage, { minLength: 1, maxLength: 3 });
const packet = fc.oneof(
  { weight: 12, arbitrary: usual },
  { weight: 12, arbitrary: good },
  { weight: 2, arbitrary: qos2 },
  { weight: 1, arbitrary: fc.constantFrom(...Object.values({ ...BAD, ...TOO_LONG })) },
);
const stream: fc.Arbitrary<Stream> = fc.record({
  login: fc.record({
    version: fc.constantFrom(3, 4, 4, 4, 5),
    clean: fc.boolean(),
    hasWill: fc.boolean(),
    isRight: fc.constantFrom(true, true, true, false),
  }),
  packets: fc.array(packet, { maxLength: 6 }),
  damages: fc.tuple(fc.oneof({ weight: 4, arbitrary: none }, { weight: 1, arbitrary: some }), fc.oneof(none, some)),
  cuts: fc.array(fc.nat(2_000), { maxLength: 3 }),
  breaksAfter: fc.option(fc.nat(TURNS), { nil: undefined }),
});

/** A connection in memory: what is pushed into it is what its client sent. */
class Wire extends Duplex {
  readonly written: Buffer[] = [];
  readonly ended = new Promise<void>((resolve) => this.once('close', () => resolve()));

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written.push(chunk);
    done();
  }
}

/** So unlike each other that no damage makes one of another. */
const SERIALS = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx'].map((letter) => letter.repeat(8));
const AT_ONCE = SERIALS.length;
const NEIGHBOUR = '00000000';

function bytesOf({ login, packets, damages }: Stream, sn: string, broker: BareBroker): Buffer {
  const user = `acme/${sn}`;
  const will = { topic: `pos/v1/acme/${sn}/state`, payload: Buffer.from('lost'), qos: 1 as const, retain: true };
  const connect = mqtt.generate({
    cmd: 'connect',
    protocolId: login.version === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion: login.version,
    clientId: sn,
    clean: login.clean,
    keepalive: 60,
    username: user,
    password: Buffer.from(login.isRight ? broker.token(user) : 'a guess'),
    ...(login.hasWill ? { will } : {}),
  });
  return Buffer.concat([applied(damages[0], connect), applied(damages[1], Buffer.concat(packets.map((one) => one.bytes(sn))))]);
}

/** Sends all streams at once, piece by piece, and waits until each connection has ended. */
async function play(broker: BareBroker, kind: Kind, streams: Stream[]): Promise<void> {
  const open = (wire: Wire) => (kind === 'front' ? broker.parts.front.open(wire) : openPlainly(broker.parts, wire));
  const wires = streams.map(() => new Wire());
  for (const wire of wires) open(wire);
  const sent = streams.map((one, i) => bytesOf(one, SERIALS[i]!, broker));
  const pieces = sent.map((bytes, i) => cut(bytes, streams[i]!.cuts));
  for (let turn = 0; turn <= TURNS; turn += 1) {
    for (const [i, wire] of wires.entries()) {
      if (streams[i]!.breaksAfter === turn) wire.destroy();
      else if (!wire.destroyed && pieces[i]![turn]?.length) wire.push(pieces[i]![turn]);
    }
    await new Promise(setImmediate);
  }
  for (const wire of wires) if (!wire.destroyed) wire.push(null);
  await Promise.all(wires.map(({ ended }) => ended));
  for (const [i, wire] of wires.entries()) {
    const answered = Buffer.concat(wire.written);
    const problem = problemOf(answered, streams[i]!, kind);
    if (problem) assert.fail(`${problem}: ${sent[i]!.toString('hex')} cut at ${streams[i]!.cuts} brought ${answered.toString('hex')}`);
  }
}

function cut(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = cuts.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], end));
}

/** What is wrong with an answer, where something is. Without the front Aedes may answer something before the CONNACK. */
function problemOf(answered: Buffer, { login, damages }: Stream, kind: Kind): string | undefined {
  const parser = mqtt.parser();
  const packets: Packet[] = [];
  let broken = false;
  parser.on('packet', (one) => packets.push(one));
  parser.on('error', () => {
    broken = true;
  });
  const left = answered.length === 0 ? 0 : parser.parse(answered);
  if (broken || left > 0) return 'no MQTT';
  if (packets.some(({ cmd }) => !ANSWERS.includes(cmd))) return 'no answer of a broker';
  if (kind === 'front' && packets.some(({ cmd }, i) => (cmd === 'connack') !== (i === 0))) return 'something before the CONNACK';
  const isIn = packets.some((one) => one.cmd === 'connack' && one.returnCode === 0);
  if (isIn && !login.isRight && damages[0].length === 0) return 'let in';
  return kind === 'front' && !isIn && packets.length > 1 ? 'answered and not let in' : undefined;
}

function reporter({ failed, seed, counterexamplePath, errorInstance }: fc.RunDetails<[Stream[]]>): void {
  if (failed) throw new Error(`seed ${seed}, path ${counterexamplePath}: ${errorInstance}`, { cause: errorInstance });
}

/** Whatever a terminal sends, the log has it under its own name alone. */
function judgeLog({ log }: BareBroker): number {
  let arrivals = 0;
  for (const bytes of log.records) {
    const record = decodeRecord(bytes);
    if (record.kind !== 'arrival') continue;
    arrivals += 1;
    assert.ok(record.acquirer === 'acme' && (SERIALS.includes(record.sn) || record.sn === NEIGHBOUR));
  }
  log.batches.length = 0;
  return arrivals;
}

/** Bytes in use once all garbage is gone. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const LIMITS = { connects: 0, terminal_packets: 0, address_failures: 0 };

async function fuzz(budget: Budget, kind: Kind): Promise<void> {
  const broker = await bareBroker(kind, LIMITS);
  const neighbour = await broker.terminal(`acme/${NEIGHBOUR}`);
  const settings = budget.settings('connections', 2 * AT_ONCE);
  const round = fc.array(stream, { minLength: AT_ONCE, maxLength: AT_ONCE });
  let [arrivals, before] = [0, 0];
  let rounds = 0;
  await fc.assert(
    fc.asyncProperty(round, async (streams) => {
      await budget.played(streams.length);
      const served = neighbour.publish(`pos/v1/acme/${NEIGHBOUR}/report`, 'served');
      await play(broker, kind, streams);
      await served;
      const { sessions, aedes } = broker.parts;
      await eventually(() => assert.deepEqual([sessions.count(), aedes.connectedClients], [1, 1]), { every: 1 });
      arrivals += judgeLog(broker);
      rounds += 1;
      if (rounds === Math.min(WARM_UP_ROUNDS, settings.numRuns)) before = bytesInUse();
    }),
    // What failed is told by its bytes: fifty streams take long to make smaller.
    { ...settings, endOnFailure: true, reporter },
  );
  expect(arrivals).toBeGreaterThan(rounds * AT_ONCE * 0.1);
  // Timers hold what they are about until they are due: on a fast machine all was played before that.
  await eventually(() => expect(bytesInUse() - before).toBeLessThan(20 * MEGABYTE), { within: 60_000, every: 1_000 });
}

export function fuzzConnections(budget: Budget, timeout: number): void {
  it('a connection is answered as MQTT has it or ends, its neighbour is served, and nothing of it stays', { timeout }, () =>
    fuzz(budget, 'front'),
  );

  it('the same holds for the broker behind the front alone', { timeout }, () => fuzz(budget, 'plain'));
}
