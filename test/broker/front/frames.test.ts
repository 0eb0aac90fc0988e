import fc from 'fast-check';
import mqtt from 'mqtt-packet';
import { describe, expect, it } from 'vitest';
import { FrameMeter } from '../../../broker/front/frames.ts';

const LIMIT = 1_000;

/** A frame as MQTT 3.1.1 section 2.2 says it, its length encoded by the generator of mqtt-packet. */
const frame = (bodyBytes: number) => {
  const topic = 't'.repeat(10);
  return mqtt.generate({ cmd: 'publish', topic, payload: Buffer.alloc(bodyBytes - 2 - topic.length), qos: 0, retain: false, dup: false });
};

function pieces(bytes: Buffer, cuts: number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : places[i - 1], end));
}

describe('the frame meter', () => {
  it('accepts frames up to the limit, however their bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 12, max: LIMIT }), { minLength: 1 }), fc.array(fc.nat()), (sizes, cuts) => {
        const meter = new FrameMeter(LIMIT);
        const bytes = Buffer.concat([mqtt.generate({ cmd: 'pingreq' }), ...sizes.map(frame)]);
        expect(pieces(bytes, cuts).every((piece) => meter.take(piece))).toBe(true);
      }),
      { seed: 4 },
    );
  });

  it('refuses a longer one at the last byte of its length, before any byte of its body', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 12, max: LIMIT })), fc.integer({ min: LIMIT + 1, max: 300_000 }), (sizes, oversized) => {
        const meter = new FrameMeter(LIMIT);
        const good = Buffer.concat(sizes.map(frame));
        const bad = frame(oversized);
        const header = bad.length - oversized;
        expect(meter.take(good)).toBe(true);
        expect(meter.take(bad.subarray(0, header))).toBe(false);
      }),
      { seed: 5 },
    );
  });

  it('refuses the largest length there is, and one that never ends', () => {
    expect(new FrameMeter(LIMIT).take(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]))).toBe(false);
    expect(new FrameMeter(LIMIT).take(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80]))).toBe(false);
  });
});
