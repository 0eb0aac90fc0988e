import { describe, expect, it } from 'vitest';
import { lookUp, RESPONSE_CODES } from '../../protocol/response-codes.ts';
import { sharedCsv } from './shared-data.ts';

const source = sharedCsv('response-codes.csv');

describe('lookUp', () => {
  it('tells what a code of a system means', () => {
    expect(lookUp('unionpay', '97')).toMatchObject({
      known: true,
      actionClass: 'D',
      failureClass: 'terminal_binding',
      alertScope: 'terminal',
    });
    expect(lookUp('local', 'timeout')).toMatchObject({
      known: true,
      actionClass: null,
      failureClass: 'network_path',
      alertScope: 'terminal_rate',
    });
  });

  it('knows a code in its own system alone', () => {
    expect(lookUp('acme-switch', '00')).toEqual({ known: false, system: 'acme-switch', code: '00' });
    expect(lookUp('local', '00').known).toBe(false);
  });

  it.each(['0', 'a0', '', 'toString', '__proto__', '100'])('says that it does not know the code %j', (code) => {
    expect(lookUp('unionpay', code)).toEqual({ known: false, system: 'unionpay', code });
  });

  it('says that it does not know a system that is named as a member of all objects', () => {
    expect(lookUp('constructor', 'name').known).toBe(false);
  });
});

it('has each code of a system once', () => {
  expect(new Set(RESPONSE_CODES.map((r) => `${r.system} ${r.code}`)).size).toBe(RESPONSE_CODES.length);
});

describe.skipIf(source.missing)('the table of response codes (skipped where ../shared/data/response-codes.csv is missing)', () => {
  it('says what its source says, row for row', () => {
    const ours = RESPONSE_CODES.map((r) => ({
      system: r.system,
      code: r.code,
      meaning: r.meaning,
      action_class: r.actionClass ?? '',
      failure_class: r.failureClass,
      alert_scope: r.alertScope,
    }));
    expect(ours).toEqual(source.rows);
  });
});
