import { PassThrough } from 'node:stream';
import { Aedes, type Client } from 'aedes';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createAudience } from '../../../broker/front/audience.ts';

const client = () => ({ conn: new PassThrough() }) as unknown as Client;
const REPORT = 'pos/v1/acme/SN000001/report';

describe('the audience', () => {
  it('hears what Aedes would send on, for any filter', async () => {
    const level = fc.constantFrom('pos', 'v1', 'acme', 'SN000001', 'report', '+', 'other');
    const filter = fc
      .tuple(fc.array(level, { minLength: 1, maxLength: 6 }), fc.boolean())
      .map(([levels, all]) => [...levels, ...(all ? ['#'] : [])].join('/'));
    const near = fc.tuple(fc.nat(4), fc.constantFrom('+', '#')).map(([at, wild]) => {
      const levels = REPORT.split('/');
      return wild === '#' ? [...levels.slice(0, at + 1), '#'].join('/') : levels.with(at, '+').join('/');
    });
    const aedes = await Aedes.createBroker();
    onTestFinished(() => new Promise((resolve) => aedes.close(() => resolve())));
    await fc.assert(
      fc.asyncProperty(fc.oneof(filter, near, fc.constantFrom(REPORT, `${REPORT}/#`, '#')), async (wanted) => {
        const audience = createAudience(100);
        audience.join(client(), wanted);
        expect([wanted, audience.hears(REPORT)]).toEqual([wanted, await aedesSends(aedes, wanted)]);
      }),
      { seed: 23, numRuns: 300 },
    );
  });

  it('hears until the last who listened has left or is gone, and says so by its version', () => {
    const audience = createAudience(100);
    const [one, two] = [client(), client()];
    const versions = new Set([audience.version()]);
    const step = (change: () => void) => {
      change();
      versions.add(audience.version());
      return audience.hears(REPORT);
    };

    expect(step(() => audience.join(one, 'pos/v1/#'))).toBe(true);
    expect(step(() => audience.join(two, 'pos/v1/+/+/report'))).toBe(true);
    expect(step(() => audience.leave(one, ['pos/v1/#', 'other']))).toBe(true);
    expect(step(() => two.conn.emit('close'))).toBe(false);
    expect(step(() => audience.join(one, 'pos/v1/+/+/state'))).toBe(false);
    expect(versions.size).toBe(6);
  });
});

async function aedesSends(aedes: Aedes, filter: string): Promise<boolean> {
  let heard = false;
  const hear = (_packet: object, done: () => void) => {
    heard = true;
    done();
  };
  await new Promise<void>((resolve) => aedes.subscribe(filter, hear, resolve));
  const packet = { cmd: 'publish', topic: REPORT, payload: '', qos: 0, retain: false, dup: false } as const;
  await new Promise<void>((resolve) => aedes.publish(packet, () => resolve()));
  await new Promise<void>((resolve) => aedes.unsubscribe(filter, hear, resolve));
  return heard;
}
