import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { signal } from '../../../protocol/schemas/sample.ts';
import { atSignal } from '../../../protocol/signal/at.ts';
import { SEED } from '../arbitraries.ts';

describe('AT+CSQ', () => {
  it.each([
    [0, -113],
    [1, -111],
    [2, -109],
    [21, -71],
    [30, -53],
    [31, -51],
  ])('%d is %d dBm', (index, rssi) => {
    expect(atSignal(`+CSQ: ${index},99`)).toEqual({ rssi });
  });

  it.each(['99,99', '32,0', '199,99', '-1,0', ',', ''])('"%s" says nothing', (fields) => {
    expect(atSignal(`+CSQ: ${fields}`)).toEqual({});
  });
});

describe('AT+CESQ', () => {
  it.each([
    ['99,99,255,255,0,0', { rat: 'lte', rsrp: -141, rsrq: -20 }],
    ['99,99,255,255,1,1', { rat: 'lte', rsrp: -140, rsrq: -19.5 }],
    ['99,99,255,255,34,97', { rat: 'lte', rsrp: -44, rsrq: -3 }],
    ['99,99,255,255,255,40', { rat: 'lte', rsrp: -101 }],
    ['99,99,0,0,255,255', { rat: 'umts', rscp: -121, ecno: -24.5 }],
    ['99,99,1,1,255,255', { rat: 'umts', rscp: -120, ecno: -24 }],
    ['99,99,96,49,255,255', { rat: 'umts', rscp: -25, ecno: 0 }],
    ['0,0,255,255,255,255', { rat: 'gsm', rssi: -111 }],
    ['1,0,255,255,255,255', { rat: 'gsm', rssi: -110 }],
    ['63,7,255,255,255,255', { rat: 'gsm', rssi: -48 }],
    ['99,99,255,255,255,255,1,1,1', { rat: 'nr', rsrq: -43, rsrp: -156, sinr: -23 }],
    ['99,99,255,255,255,255,126,126,126', { rat: 'nr', rsrq: 19.5, rsrp: -31, sinr: 39.5 }],
    ['99,99,255,255,20,40,60,60,60', { rat: 'lte', rsrp: -101, rsrq: -10 }],
    ['99,99,255,255,255,255,127,60,127', { rat: 'nr', rsrp: -97 }],
  ])('%s', (fields, expected) => {
    expect(atSignal(`+CESQ: ${fields}`)).toEqual(expected);
  });

  it.each(['99,99,255,255,255,255', '99,99,255,255,255,255,255,255,255', '99,99,255,255,255,255,127,127,127', '64,8,97,50,35,98', '--'])(
    '"%s" says nothing',
    (fields) => {
      expect(atSignal(`+CESQ: ${fields}`)).toEqual({});
    },
  );
});

describe('registration', () => {
  it('names operator, area, cell and radio, in the spelling that is common to all modems', () => {
    const answers = 'AT+COPS?\r\r\n+COPS: 0,2,"46000",7\r\n\r\nOK\r\nAT+CEREG?\r\r\n+CEREG: 2,1,"9CBA","00076C6C",7\r\n\r\nOK\r\n';
    expect(atSignal(answers)).toEqual({ rat: 'lte', mcc: '460', mnc: '00', lac: '9cba', cell: '76c6c' });
  });

  it('reads what comes unasked', () => {
    expect(atSignal('+CREG: 5,"01F4","4E20",2')).toEqual({ rat: 'umts', lac: '1f4', cell: '4e20' });
  });

  it('knows network codes of three digits, and no operator from its name', () => {
    expect(atSignal('+COPS: 0,2,"310260",7')).toMatchObject({ mcc: '310', mnc: '260' });
    expect(atSignal('+COPS: 0,0,"CHINA, MOBILE",7')).toEqual({ rat: 'lte' });
    expect(atSignal('+COPS: 0')).toEqual({});
  });

  it.each([
    ['+CREG: 0,0', { rat: 'none' }],
    ['+CREG: 0,2\n+CEREG: 0,2', { rat: 'none' }],
    ['+CREG: 2', { rat: 'none' }],
    ['+CEREG: 0,3', { rat: 'none' }],
    ['+CREG: 0,8', { rat: 'none' }],
    ['+CREG: 0,4', {}],
    ['+CREG: 0,0\n+CEREG: 2,1,"9CBA","76C6C",7', { rat: 'lte', lac: '9cba', cell: '76c6c' }],
    ['+CEREG: 2,5,"9CBA","76C6C",7\n+CREG: 0,2', { rat: 'lte', lac: '9cba', cell: '76c6c' }],
    ['+CEREG: 4,2,"9CBA","76C6C",7,0,3', { rat: 'none' }],
    ['+C5GREG: 2,1,"00000A","000123456",11,4', { rat: 'nr', lac: 'a', cell: '123456' }],
    ['+CREG: 2,1,"FFFE","FFFFFFFF",0', { rat: 'gsm' }],
    ['+CREG: 2,1,"0000","00000000",0', { rat: 'gsm' }],
  ])('%j', (answers, expected) => {
    expect(atSignal(answers)).toEqual(expected);
  });
});

describe('Quectel', () => {
  it.each([
    ['+QCSQ: "LTE",-71,-101,140,-11', { rat: 'lte', rssi: -71, rsrp: -101, rsrq: -11 }],
    ['+QCSQ: "WCDMA",-80,-90,-8', { rat: 'umts', rssi: -80, rscp: -90, ecno: -8 }],
    ['+QCSQ: "GSM",-77', { rat: 'gsm', rssi: -77 }],
    ['+QCSQ: "NOSERVICE"', { rat: 'none' }],
    ['+QCSQ: "TDSCDMA",-80,-90,-8', {}],
    [
      '+QENG: "servingcell","NOCONN","LTE","FDD",214,01,7676A09,188,6300,20,3,3,603,-104,-9,-78,11,23',
      { rat: 'lte', mcc: '214', mnc: '01', cell: '7676a09', lac: '603', rsrp: -104, rsrq: -9, rssi: -78 },
    ],
    [
      '+QENG: "servingcell","NOCONN","WCDMA",460,01,D5D6,8AFE5CE,10713,9,1,-83,-4,-,-,-,-,-',
      { rat: 'umts', mcc: '460', mnc: '01', lac: 'd5d6', cell: '8afe5ce', rscp: -83, ecno: -4 },
    ],
    [
      '+QENG: "servingcell","NOCONN","GSM",460,00,550A,2BB9,23,94,0,61,255,255,0,38,38,1,-,-,-,-,-,-,-,-,-,"-"',
      { rat: 'gsm', mcc: '460', mnc: '00', lac: '550a', cell: '2bb9' },
    ],
    [
      '+QENG: "servingcell","NOCONN","NR5G-SA","TDD",460,15,170C23000,0,690E0F,633984,78,12,-98,-11,13,1,24',
      { rat: 'nr', mcc: '460', mnc: '15', cell: '170c23000', lac: '690e0f', rsrp: -98, rsrq: -11, sinr: 13 },
    ],
    ['+QENG: "servingcell","SEARCH"', { rat: 'none' }],
    ['+QENG: "servingcell","NOCONN","LTE","FDD",-,-,-,-,-,-,-,-,-,-,-,-,-,-', { rat: 'lte' }],
    ['+QENG: "neighbourcell intra","LTE",6300,188,-12,-105,-75,-20,23,4,12,10,62', {}],
  ])('%s', (answer, expected) => {
    expect(atSignal(answer)).toEqual(expected);
  });
});

describe('several answers together', () => {
  it('are one signal', () => {
    expect(atSignal('+CSQ: 21,99\r\nOK\r\n+CESQ: 99,99,255,255,18,40\r\nOK\r\n+CEREG: 2,1,"9CBA","76C6C",7')).toEqual({
      rat: 'lte',
      rssi: -71,
      rsrp: -101,
      rsrq: -11,
      lac: '9cba',
      cell: '76c6c',
    });
  });

  it('keep what one said where another does not know', () => {
    expect(atSignal('+QCSQ: "LTE",-71,-101,140,-11\n+CESQ: 99,99,255,255,255,255\n+CSQ: 99,99')).toMatchObject({ rsrp: -101, rssi: -71 });
  });
});

it('any text is a signal that the schema takes', () => {
  const prefix = fc.constantFrom('+CSQ: ', '+CESQ: ', '+COPS: ', '+CREG: ', '+CEREG: ', '+QCSQ: ', '+QENG: ', '+X: ');
  const field = fc.oneof(
    fc.integer({ min: -300, max: 300 }).map(String),
    fc.constantFrom('"LTE"', '"servingcell"', '"46000"', '"FFFF"', '-', '', '--'),
    fc.string({ maxLength: 5 }),
  );
  const line = fc.tuple(prefix, fc.array(field, { maxLength: 20 })).map(([p, fields]) => p + fields.join(','));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => signal.safeParse(atSignal(lines.join('\r\n'))).success),
    { seed: SEED, numRuns: 2000 },
  );
});
