/** Packets as terminals send them, good ones and bad ones, as bytes. */
import fc from 'fast-check';
import mqtt, { type Packet } from 'mqtt-packet';
import { MAX_FRAME_BYTES } from '../../../broker/front/frames.ts';
import { MAX_WIRE_BYTES } from '../../../protocol/codec/limits.ts';

const TOPIC = 'pos/v1/acme/{sn}';

/** A packet, for the terminal with this serial; `answers`: how many packets the broker answers with. */
export interface Sent {
  bytes(sn: string): Buffer;
  answers: number;
}

const generated = (make: (sn: string) => Packet, answers: number): Sent => ({ bytes: (sn) => mqtt.generate(make(sn)), answers });
const literal = (bytes: number[], answers: number): Sent => ({ bytes: () => Buffer.from(bytes), answers });

/** A frame whose length is written with a byte more than it needs, which MQTT 3.1.1 does not forbid. */
const longWinded = (sent: Sent): Sent => ({
  ...sent,
  bytes: (sn) => {
    const bytes = sent.bytes(sn);
    const last = bytes.findIndex((byte, i) => i > 0 && byte < 0x80);
    return Buffer.concat([bytes.subarray(0, last), Buffer.from([bytes[last]! | 0x80, 0]), bytes.subarray(last + 1)]);
  },
});

const id = fc.integer({ min: 1, max: 65_535 });
const payload = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 10_000, max: MAX_WIRE_BYTES }).map((length) => new Uint8Array(length).fill(120)) },
);

const report = fc
  .record({ channel: fc.constantFrom('report', 'report', 'event', 'ack'), messageId: id, payload })
  .map(({ channel, messageId, payload: bytes }) => message({ channel, messageId, payload: bytes }));

/** Any other message of a terminal on its own topics. Twice the same id with QoS 2 is decided by timing, so there is a way of its own for those. */
const otherMessage = fc
  .record({
    channel: fc.constantFrom('report', 'event', 'birth', 'state'),
    qos: fc.constantFrom(0 as const, 1 as const),
    retain: fc.boolean(),
    dup: fc.boolean(),
    messageId: id,
    payload,
  })
  .map(message);

function message({
  channel,
  payload: bytes,
  messageId,
  qos = 1,
  retain = false,
  dup = false,
}: {
  channel: string;
  payload: Uint8Array;
  messageId: number;
  qos?: 0 | 1 | 2;
  retain?: boolean;
  dup?: boolean;
}): Sent {
  const packet = {
    cmd: 'publish',
    payload: Buffer.from(bytes),
    qos,
    retain,
    dup: dup && qos > 0,
    ...(qos > 0 ? { messageId } : {}),
  } as const;
  return generated((sn) => ({ ...packet, topic: `${TOPIC.replace('{sn}', sn)}/${channel}` }), Math.min(qos, 1));
}

export const qos2: fc.Arbitrary<Sent> = fc
  .record({ messageId: id, payload })
  .map((sent) => message({ channel: 'report', qos: 2, ...sent }));

const subscribe = fc.record({ messageId: id, own: fc.boolean() }).map(({ messageId, own }) =>
  generated(
    (sn) => ({
      cmd: 'subscribe',
      messageId,
      subscriptions: [{ topic: own ? `${TOPIC.replace('{sn}', sn)}/cmd` : 'pos/v1/#', qos: 1 }],
    }),
    1,
  ),
);
const unsubscribe = id.map((messageId) =>
  generated((sn) => ({ cmd: 'unsubscribe', messageId, unsubscriptions: [`${TOPIC.replace('{sn}', sn)}/cmd`] }), 1),
);
const puback = id.map((messageId) => generated(() => ({ cmd: 'puback', messageId }), 0));
const pubrel = id.map((messageId) => generated(() => ({ cmd: 'pubrel', messageId }), 1));
const ping = fc.constantFrom(literal([0xc0, 0], 1), literal([0xc0, 0x80, 0], 1), literal([0xc0, 2, 7, 7], 1));

/** What terminals send all day, in a few ways to write it. */
export const usual: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 6, arbitrary: report },
  { weight: 1, arbitrary: report.map(longWinded) },
  { weight: 1, arbitrary: fc.constant(literal([0xc0, 0], 1)) },
);

/** Any packet that ends no connection. */
export const good: fc.Arbitrary<Sent> = fc.oneof(
  { weight: 8, arbitrary: usual },
  { weight: 4, arbitrary: otherMessage },
  { weight: 1, arbitrary: otherMessage.map(longWinded) },
  ...[ping, subscribe, unsubscribe, puback, pubrel].map((arbitrary) => ({ weight: 1, arbitrary })),
);

const publishTo = (topic: string, messageId = [0, 9]) => {
  const field = Buffer.from(topic);
  const body = Buffer.concat([Buffer.from([0, field.length]), field, Buffer.from(messageId), Buffer.from('{}')]);
  return Buffer.concat([Buffer.from([0x32, body.length]), body]);
};
const bad = (bytes: Buffer | ((sn: string) => Buffer)): Sent => ({ bytes: typeof bytes === 'function' ? bytes : () => bytes, answers: 0 });
const own = (sn: string, channel = 'report') => `pos/v1/acme/${sn}/${channel}`;

/** Packets for which the broker ends the connection, by what is wrong with them. */
export const BAD: Record<string, Sent> = {
  'another terminal': bad(publishTo('pos/v1/acme/SN999999/report')),
  'the wrong way': bad((sn) => publishTo(own(sn, 'cmd'))),
  'a topic that is longer than its own': bad((sn) => publishTo(`${own(sn)}s`)),
  'a topic that is shorter than its own': bad((sn) => publishTo(own(sn).slice(0, -1))),
  'an empty topic': bad(publishTo('')),
  'a wildcard': bad((sn) => publishTo(own(sn, '+'))),
  'a wildcard for all': bad((sn) => publishTo(own(sn, '#'))),
  'the topics of the broker': bad(publishTo('$SYS/node-1/heartbeat')),
  'message id 0': bad((sn) => publishTo(own(sn), [0, 0])),
  'a topic that goes beyond its frame': bad((sn) => {
    const bytes = publishTo(own(sn));
    bytes[3] = 0xff;
    return bytes;
  }),
  'a PUBLISH without a body': bad(Buffer.from([0x32, 0])),
  'QoS 3': bad(Buffer.from([0x36, 2, 0, 0])),
  'flags that are reserved': bad(Buffer.from([0x83, 2, 0, 1])),
  'a PINGREQ with flags': bad(Buffer.from([0xc1, 0])),
  'a packet that is none': bad(Buffer.from([0x00, 0])),
  'a second CONNECT': bad(
    mqtt.generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'x', clean: true, keepalive: 0 }),
  ),
  'an answer that only brokers give': bad(Buffer.from([0xd0, 0])),
  'a payload of 64 KiB and a byte': bad((sn) =>
    mqtt.generate({
      cmd: 'publish',
      topic: own(sn),
      payload: Buffer.alloc(MAX_WIRE_BYTES + 1),
      qos: 1,
      retain: false,
      dup: false,
      messageId: 1,
    }),
  ),
};

/** The same, found by its length before anything else of it has come, so that what came just before it may not be read either. */
export const TOO_LONG: Record<string, Sent> = {
  'a frame that is too long': bad(
    Buffer.from([0x32, 0x80 | (MAX_FRAME_BYTES & 0x7f), 0x80 | ((MAX_FRAME_BYTES >> 7) & 0x7f), (MAX_FRAME_BYTES >> 14) + 1]),
  ),
  'a length that does not end': bad(Buffer.from([0x32, 0x80, 0x80, 0x80, 0x80, 1])),
  'a PINGREQ with a length that does not end': bad(Buffer.from([0xc0, 0x80, 0x80, 0x80, 0x80, 1])),
};

/** mqtt-packet takes its message id from the packet after it, where one has come. */
export const WITHOUT_ID: Sent = bad((sn) => {
  const bytes = publishTo(own(sn), []).subarray(0, -2);
  bytes[1] = bytes.length - 2;
  return bytes;
});
export const GOOD_BYE: Sent = bad(Buffer.from([0xe0, 0]));
/** A frame whose end does not come. */
export const UNFINISHED: Sent = bad((sn) => publishTo(own(sn)).subarray(0, -3));
