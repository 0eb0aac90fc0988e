import { describe, expect, expectTypeOf, it } from 'vitest';
import { fillSurroundings, fillVariables, timeOf, windowSeconds } from '../../../dashboards/grafana/check/fill.ts';
import { frameOf } from '../../../dashboards/grafana/check/frames.ts';
import { flux, quote, read, readPoints, tagValues, within } from '../../../dashboards/grafana/flux.ts';

describe('a query', () => {
  it('reads fields of a measurement in the time range of the dashboard', () => {
    expect(read('terminal', ['signal_rsrp', 'radio_risk']).text).toBe(
      [
        'from(bucket: v.defaultBucket)',
        '  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)',
        '  |> filter(fn: (r) => r._measurement == "terminal" and (r._field == "signal_rsrp" or r._field == "radio_risk"))',
      ].join('\n'),
    );
  });

  it('names its imports first, once', () => {
    const lines = readPoints('alert', ['id'], ['acquirer'], within('90d')).text.split('\n');

    expect(lines[0]).toBe('import "date"');
    expect(lines).toContain('  |> range(start: date.sub(from: v.timeRangeStop, d: 90d), stop: v.timeRangeStop)');
    expect(lines.filter((line) => line.startsWith('import'))).toHaveLength(1);
  });

  it('takes variables in the one format that escapes everything', () => {
    expect(read('presence', ['state']).matching('sn').text).toContain(`r.sn =~ /^\${sn:regex}$/`);
    expect(tagValues('presence', 'sn', ['acquirer']).text).toContain(
      `r._measurement == "presence" and r.acquirer =~ /^\${acquirer:regex}$/`,
    );
  });

  it('writes each step', () => {
    const text = read('outcomes', ['n'])
      .where((r) => flux`${r.class} == ${'issuer "x"'} and ${r._value} > ${3}`)
      .set((r) => ({ twice: flux`${r._value} * 2.0` }))
      .group('class')
      .sort(['_time'], true)
      .last('_value')
      .limit(5)
      .rename('_time', 'at')
      .keep('at', 'twice').text;

    expect(text.split('\n  |> ').slice(3)).toEqual([
      'filter(fn: (r) => r.class == "issuer \\"x\\"" and r._value > 3)',
      'map(fn: (r) => ({r with twice: r._value * 2.0}))',
      'group(columns: ["class"])',
      'sort(columns: ["_time"], desc: true)',
      'last(column: "_value")',
      'limit(n: 5)',
      'rename(columns: {_time: "at"})',
      'keep(columns: ["at", "twice"])',
    ]);
  });

  it('takes no name that the layout does not have', () => {
    const presence = read('presence', ['state']);

    expectTypeOf<Parameters<typeof read<'presence'>>[1][number]>().toEqualTypeOf<'state' | 'expected'>();
    expectTypeOf<'radio_secondsByRat_lte'>().toExtend<Parameters<typeof read<'terminal'>>[1][number]>();
    expectTypeOf<'signal_rsrpp'>().not.toExtend<Parameters<typeof read<'terminal'>>[1][number]>();
    expectTypeOf(presence.keep('_time').matching).parameter(0).toEqualTypeOf<'_time'>();
  });
});

describe('a text in a query', () => {
  it.each([
    ['plain', '"plain"'],
    ['a "b"', '"a \\"b\\""'],
    ['back\\slash', '"back\\\\slash"'],
    ['two\nlines\r\t', '"two\\nlines\\r\\t"'],
    ['5 $', '"5 $"'],
  ])('%j is quoted', (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  it.each(['$name', `\${name}`, '[[name]]'])('%s is refused: Grafana would put a variable in its place', (text) => {
    expect(() => quote(text)).toThrow('for a variable');
  });
});

describe('what Grafana fills in', () => {
  const query = 'from(bucket: v.defaultBucket) |> range(start: v.timeRangeStart, stop: v.timeRangeStop) |> window(every: v.windowPeriod)';

  it('are the times, the stretch of time of a point, and the bucket', () => {
    expect(fillSurroundings(query, { from: 0, to: 60_000, windowSeconds: 90, bucket: 'b"1', org: 'o' })).toBe(
      'from(bucket: "b\\"1") |> range(start: 1970-01-01T00:00:00.000Z, stop: 1970-01-01T00:01:00.000Z) |> window(every: 1m30s)',
    );
  });

  it.each([
    ['one value', { value: 'acme' }, '/^acme$/'],
    ['a value with everything that a pattern could take for its own', { value: 'a.b/c\\d|e(f)*' }, '/^a\\.b\\/c\\\\d\\|e\\(f\\)\\*$/'],
    ['all', { all: '.*' }, '/^.*$/'],
  ])('is a variable: %s', (_, chosen, filled) => {
    expect(fillVariables(`/^\${acquirer:regex}$/`, new Map([['acquirer', chosen]]))).toBe(filled);
  });

  it('is a time from now on back', () => {
    expect([timeOf('now', 1000_000), timeOf('now-2m', 1000_000), timeOf('2026-01-01', 0)]).toEqual([1000_000, 880_000, undefined]);
  });

  it('is about a thousand points, and never closer than the panel allows', () => {
    expect([windowSeconds(0, 86_400_000), windowSeconds(0, 86_400_000, '5m'), windowSeconds(0, 1000)]).toEqual([87, 300, 1]);
  });
});

describe('what Grafana makes of an answer', () => {
  const column = (name: string, type: string, group = false, value = 'x') => ({ name, type, group, ...(group ? { value } : {}) });
  const time = column('_time', 'dateTime:RFC3339');

  it('is a series named after its field, where it has a time and a value', () => {
    const columns = [
      column('result', 'string'),
      column('table', 'long'),
      time,
      column('_value', 'double'),
      column('_field', 'string', true, 'n'),
    ];

    expect(frameOf({ columns, rows: 1, filled: new Set(['_time', '_value', 'limit']) })).toEqual({
      fields: [
        { name: 'Time', kind: 'time', filled: true },
        { name: 'n', kind: 'number', filled: true },
      ],
      labels: ['_field'],
    });
  });

  it('is a table of its columns else; those of the group key are labels and no columns', () => {
    const columns = [time, column('limit', 'double'), column('merchant', 'string'), column('acquirer', 'string', true)];

    expect(frameOf({ columns, rows: 1, filled: new Set(['_time', '_value', 'limit']) })).toMatchObject({
      fields: [{ name: '_time' }, { name: 'limit' }, { name: 'merchant', kind: 'other' }],
      labels: ['acquirer'],
    });
  });
});
