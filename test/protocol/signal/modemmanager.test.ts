import { describe, expect, it } from 'vitest';
import { modemManagerSignal } from '../../../protocol/signal/modemmanager.ts';

const unknown = {
  '5g': { rsrp: '--', rsrq: '--', snr: '--' },
  gsm: { rssi: '--' },
  lte: { rsrp: '--', rsrq: '--', rssi: '--', snr: '--' },
  umts: { ecio: '--', rscp: '--', rssi: '--' },
};
const signalGet = (sections: object) =>
  JSON.stringify({ modem: { signal: { ...unknown, ...sections, refresh: { rate: '10' }, threshold: { 'error-rate': 'no', rssi: '0' } } } });
const modem = (technologies: string[], state: string) =>
  JSON.stringify({
    modem: {
      '3gpp': { 'operator-code': '46000', 'operator-name': 'CMCC', 'registration-state': state },
      generic: { 'access-technologies': technologies, state: 'connected', 'signal-quality': { recent: 'yes', value: '63' } },
    },
  });
const LTE = { lte: { rsrp: '-101.00', rsrq: '-11.00', rssi: '-71.00', snr: '8.00' } };

describe('modemManagerSignal', () => {
  it('reads --signal-get', () => {
    expect(modemManagerSignal([signalGet(LTE)])).toEqual({ rat: 'lte', rsrp: -101, rsrq: -11, rssi: -71, sinr: 8 });
    expect(modemManagerSignal([signalGet({ umts: { ecio: '-8.50', rscp: '-90.00', rssi: '--' } })])).toEqual({
      rat: 'umts',
      rscp: -90,
      ecno: -8.5,
    });
    expect(modemManagerSignal([signalGet({ gsm: { rssi: '-77.00' } })])).toEqual({ rat: 'gsm', rssi: -77 });
    expect(modemManagerSignal([signalGet({ '5g': { rsrp: '-98.00', rsrq: '-11.00', snr: '13.00' } })])).toEqual({
      rat: 'nr',
      rsrp: -98,
      rsrq: -11,
      sinr: 13,
    });
  });

  it('leaves out every --', () => {
    expect(modemManagerSignal([signalGet({})])).toEqual({});
    expect(modemManagerSignal([signalGet({ lte: { rsrp: '-101.00', rsrq: '--', rssi: '--', snr: '--' } })])).toEqual({
      rat: 'lte',
      rsrp: -101,
    });
    expect(
      modemManagerSignal([
        JSON.stringify({
          modem: { '3gpp': { 'operator-code': '--', 'registration-state': '--' }, generic: { 'access-technologies': ['--'] } },
        }),
      ]),
    ).toEqual({});
  });

  it("reads the modem's state, and takes the values of the radio in use", () => {
    const both = signalGet({ ...LTE, '5g': { rsrp: '-90.00', rsrq: '-10.00', snr: '20.00' } });
    expect(modemManagerSignal([both, modem(['lte', '5gnr'], 'home')])).toMatchObject({ rat: 'lte', rsrp: -101, mcc: '460', mnc: '00' });
    expect(modemManagerSignal([modem(['5gnr'], 'roaming'), both])).toMatchObject({ rat: 'nr', rsrp: -90 });
    expect(modemManagerSignal([modem(['hspa-plus'], 'home')])).toMatchObject({ rat: 'umts' });
    expect(modemManagerSignal([modem(['edge'], 'home')])).toMatchObject({ rat: 'gsm' });
  });

  it.each(['idle', 'searching', 'denied', 'emergency-only'])('is registered nowhere while %s', (state) => {
    expect(modemManagerSignal([modem(['lte'], state)]).rat).toBe('none');
  });

  it('reads --location-get, and does not let its unknowns hide the operator', () => {
    const location = (gpp: object) => JSON.stringify({ modem: { location: { '3gpp': gpp, gps: { nmea: [] } } } });
    const lte = { cid: '00076C6C', lac: 'FFFE', tac: '009CBA', mcc: '460', mnc: '01' };
    expect(modemManagerSignal([location(lte)])).toEqual({ mcc: '460', mnc: '01', lac: '9cba', cell: '76c6c' });
    expect(modemManagerSignal([modem([], 'home'), location({ cid: '--', lac: '--', tac: '--', mcc: '--', mnc: '--' })])).toEqual({
      mcc: '460',
      mnc: '00',
    });
  });

  it.each([
    '',
    'error: modem is not enabled',
    'null',
    '[]',
    '{"modem":null}',
    '{"modem":{"signal":5}}',
    '{"modem":{"generic":{"access-technologies":"lte"}}}',
  ])('makes nothing of %j', (text) => {
    expect(modemManagerSignal([text])).toEqual({});
  });
});
