import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signal } from '../../../protocol/schemas/sample.ts';
import { androidSignal } from '../../../protocol/signal/android.ts';
import { SEED } from '../arbitraries.ts';

const UNAVAILABLE = 2_147_483_647;
/** As JSON.parse reads 9223372036854775807. */
const LONG_MAX_VALUE = 2 ** 63;
const LTE = { type: 'lte', registered: true, mcc: '460', mnc: '00', tac: 0x9cba, ci: 0x76c6c, rsrp: -101, rsrq: -11, rssnr: 8, rssi: -71 };

describe('androidSignal', () => {
  it('reads a cell of each kind', () => {
    expect(androidSignal(LTE)).toEqual({
      rat: 'lte',
      mcc: '460',
      mnc: '00',
      lac: '9cba',
      cell: '76c6c',
      rsrp: -101,
      rsrq: -11,
      sinr: 8,
      rssi: -71,
    });
    expect(androidSignal({ type: 'nr', mcc: '460', mnc: '15', tac: 10, nci: 0x170c23000, ssRsrp: -98, ssRsrq: -11, ssSinr: 13 })).toEqual({
      rat: 'nr',
      mcc: '460',
      mnc: '15',
      lac: 'a',
      cell: '170c23000',
      rsrp: -98,
      rsrq: -11,
      sinr: 13,
    });
    expect(androidSignal({ type: 'wcdma', lac: 500, cid: 20_000, rscp: -90, ecNo: -8 })).toEqual({
      rat: 'umts',
      lac: '1f4',
      cell: '4e20',
      rscp: -90,
      ecno: -8,
    });
    expect(androidSignal({ type: 'gsm', rssi: -77 })).toEqual({ rat: 'gsm', rssi: -77 });
    expect(androidSignal({ type: 'wifi', rssi: -60 })).toEqual({ rat: 'wifi', rssi: -60 });
  });

  it('leaves out what Android marks unavailable', () => {
    const unavailable = Object.fromEntries(['tac', 'ci', 'rsrp', 'rsrq', 'rssnr', 'rssi'].map((name) => [name, UNAVAILABLE]));
    expect(androidSignal({ ...LTE, ...unavailable, mcc: null, mnc: null })).toEqual({ rat: 'lte' });
    expect(androidSignal({ type: 'nr', nci: LONG_MAX_VALUE, ssRsrp: UNAVAILABLE, ssRsrq: UNAVAILABLE, ssSinr: UNAVAILABLE })).toEqual({
      rat: 'nr',
    });
    expect(androidSignal({ type: 'gsm', rssi: 99 })).toEqual({ rat: 'gsm' });
    expect(androidSignal({ type: 'wifi', rssi: -127 })).toEqual({ rat: 'wifi' });
  });

  it('leaves out RSRP -200 and the SNR -30 that comes with it', () => {
    expect(androidSignal({ type: 'lte', rsrp: -200, rssnr: -300 })).toEqual({ rat: 'lte' });
    expect(androidSignal({ type: 'nr', ssRsrp: -200, ssSinr: -30 })).toEqual({ rat: 'nr' });
  });

  it('takes RSSNR for tenths of a dB up to Android 10, and where it cannot be dB', () => {
    expect(androidSignal({ type: 'lte', rssnr: 25 }, 29)).toMatchObject({ sinr: 2.5 });
    expect(androidSignal({ type: 'lte', rssnr: 25 }, 30)).toMatchObject({ sinr: 25 });
    expect(androidSignal({ type: 'lte', rssnr: 130 })).toMatchObject({ sinr: 13 });
  });

  it('reads the units of a radio dump', () => {
    expect(androidSignal({ type: 'lte', rssi: 21, rsrp: 101, rsrq: 11, rssnr: 80 })).toEqual({
      rat: 'lte',
      rssi: -71,
      rsrp: -101,
      rsrq: -11,
      sinr: 8,
    });
    expect(androidSignal({ type: 'wcdma', rssi: 21, rscp: 30, ecNo: 30 })).toEqual({ rat: 'umts', rssi: -71, rscp: -91, ecno: -9.5 });
    expect(androidSignal({ type: 'gsm', rssi: 18 })).toEqual({ rat: 'gsm', rssi: -77 });
  });

  it('takes of several cells the registered one, and with two LTE, which carries the registration', () => {
    const neighbour = { ...LTE, registered: false, rsrp: -80 };
    expect(androidSignal([neighbour, LTE])).toMatchObject({ rsrp: -101 });
    expect(androidSignal([{ type: 'nr', ssRsrp: -90 }, LTE])).toMatchObject({ rat: 'lte', rsrp: -101 });
  });

  it('tells registered nowhere from nothing known', () => {
    expect(androidSignal([{ ...LTE, registered: false }])).toEqual({ rat: 'none' });
    for (const nothing of [[], null, undefined, 'lte', {}, [{ type: 'constructor' }], [5]]) expect(androidSignal(nothing)).toEqual({});
  });

  it('makes of any JSON a signal that the schema takes', () => {
    const value = fc.oneof(fc.integer({ min: -400, max: 400 }), fc.constant(UNAVAILABLE), fc.jsonValue({ maxDepth: 1 }));
    const cell = fc.record({
      type: fc.constantFrom('lte', 'nr', 'gsm', 'wcdma', 'wifi', 'cdma'),
      registered: fc.oneof(fc.boolean(), value),
      ...Object.fromEntries(
        ['mcc', 'mnc', 'tac', 'ci', 'nci', 'rssi', 'rsrp', 'rsrq', 'rssnr', 'rscp', 'ecNo', 'ssRsrp', 'ssSinr'].map((n) => [n, value]),
      ),
    });
    fc.assert(
      fc.property(fc.oneof(cell, fc.array(cell), fc.jsonValue()), (cells) => signal.safeParse(androidSignal(cells)).success),
      { seed: SEED, numRuns: 1000 },
    );
  });
});
