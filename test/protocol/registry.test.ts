import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRow, TABLES } from '../../protocol/registry.ts';
import { SEED } from './arbitraries.ts';

const MERCHANT = { acquirer: 'acme', merchant: 'm-1' };
const TERMINAL = { acquirer: 'acme', merchant: 'm-1', sn: 'SN000001' };

function row(table: (typeof TABLES)[number], value: Record<string, unknown>) {
  const checked = checkRow(table, value);
  return checked.ok ? checked.value.row : checked.problems;
}

describe('a terminal_limit', () => {
  it.each([
    ['', undefined],
    ['   ', undefined],
    [null, undefined],
    [undefined, undefined],
    ['12', 12],
    [' 12 ', 12],
    [12, 12],
    [0, 0],
    ['0', 0],
  ])('of %j is %j', (given, read) => {
    expect(row('merchants', { ...MERCHANT, terminal_limit: given })).toEqual(
      read === undefined ? MERCHANT : { ...MERCHANT, terminal_limit: read },
    );
  });

  it.each([
    ['abc', 'terminal_limit: expected number'],
    ['12abc', 'terminal_limit: expected number'],
    ['0x10', 'terminal_limit: expected number'],
    ['1e3', 'terminal_limit: expected number'],
    ['NaN', 'terminal_limit: expected number'],
    ['Infinity', 'terminal_limit: expected number'],
    [true, 'terminal_limit: expected number'],
    [[12], 'terminal_limit: expected number'],
    [12.5, 'terminal_limit: expected whole number'],
    ['12.5', 'terminal_limit: expected whole number'],
    [-1, 'terminal_limit: expected at least 0'],
    ['-1', 'terminal_limit: expected at least 0'],
    [10_000_001, 'terminal_limit: expected at most 10000000'],
  ])('of %j is a problem that names it', (given, problem) => {
    expect(row('merchants', { ...MERCHANT, terminal_limit: given })).toEqual([problem]);
  });
});

describe('a row', () => {
  it('keeps its texts without the blanks around them, and leaves unknown columns out', () => {
    expect(row('merchants', { acquirer: ' acme', merchant: 'm-1 ', name: ' Tea & Co ', colour: 'red' })).toEqual({
      ...MERCHANT,
      name: 'Tea & Co',
    });
  });

  it('names every column that is wrong', () => {
    expect(row('terminals', { acquirer: 'ACME', merchant: '', sn: 'S', lat: '91', lifecycle: 'lost' })).toEqual([
      'acquirer: not an acquirer code: a-z, 0-9 and -, at most 32',
      'merchant: expected string',
      'sn: not a serial number: letters, digits and -, 4 to 32',
      expect.stringMatching(/^lifecycle: expected "pending" or "active"/),
      'lat: not a latitude, -90 to 90: are lat and lon swapped?',
    ]);
  });

  it('of a terminal is active where it does not say, and has its place in degrees', () => {
    expect(row('terminals', { ...TERMINAL, lat: '31.23', lon: '-121.470', datum: 'gcj02' })).toEqual({
      ...TERMINAL,
      lifecycle: 'active',
      lat: 31.23,
      lon: -121.47,
      datum: 'gcj02',
    });
    expect(row('terminals', { ...TERMINAL, lifecycle: '' })).toMatchObject({ lifecycle: 'active' });
  });

  it.each([
    ['2026-02-28', true],
    ['2026-02-30', false],
    ['2026-2-3', false],
    ['28.02.2026', false],
    ['tomorrow', false],
  ])('has limit_from %s: %s', (limit_from, isDate) => {
    expect(checkRow('merchants', { ...MERCHANT, limit_from }).ok).toBe(isDate);
  });

  it('has a time zone that exists', () => {
    expect(checkRow('merchants', { ...MERCHANT, tz: 'Europe/Dublin' }).ok).toBe(true);
    expect(row('merchants', { ...MERCHANT, tz: 'Mars/Olympus' })).toEqual(['tz: not an IANA time zone, such as Asia/Shanghai']);
  });

  it('of scopes is open or not, as a boolean or as text', () => {
    for (const open of [true, 'true', 'TRUE']) expect(row('scopes', { acquirer: 'acme', open })).toEqual({ acquirer: 'acme', open: true });
    for (const open of [false, 'false', 'False'])
      expect(row('scopes', { acquirer: 'acme', open })).toEqual({ acquirer: 'acme', open: false });
    expect(row('scopes', { acquirer: 'acme', open: 'maybe' })).toEqual(['open: expected boolean']);
  });

  it('of bindings is a bind, an unbind or a swap', () => {
    expect(checkRow('bindings', { op: 'bind', ...TERMINAL }).ok).toBe(true);
    expect(checkRow('bindings', { op: 'unbind', acquirer: 'acme', sn: 'SN01' }).ok).toBe(true);
    expect(checkRow('bindings', { op: 'swap', acquirer: 'acme', old_sn: 'SN01', new_sn: 'SN02' }).ok).toBe(true);
    expect(row('bindings', { op: 'swap', acquirer: 'acme', sn: 'SN01' })).toEqual(['old_sn: expected string', 'new_sn: expected string']);
    expect(row('bindings', { op: 'lend', ...TERMINAL })).toEqual([expect.stringMatching(/^op: /)]);
  });

  it('of any content is read or has problems: never an exception', () => {
    const column = fc.constantFrom(
      'acquirer',
      'merchant',
      'sn',
      'op',
      'terminal_limit',
      'limit_from',
      'tz',
      'lat',
      'open',
      'peripherals',
      '__proto__',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...TABLES),
        fc.dictionary(column, fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 2 }))),
        (table, value) => {
          const checked = checkRow(table, value);
          return checked.ok || checked.problems.length > 0;
        },
      ),
      { seed: SEED, numRuns: 2000 },
    );
  });
});
