import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../protocol/entries.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { DEFAULT_RULES } from '../../../watch/rules/defaults.ts';
import { readRules } from '../../../watch/rules/document.ts';
import { Disk, save } from '../support/disk.ts';
import { HOUR, MONDAY } from '../support/log.ts';

describe('a rules document', () => {
  it('changes the numbers that it names, and leaves the others', () => {
    const read = readRules({ 'quota.terminals': { approachingPercent: 50 } });

    expect(read).toEqual({
      ok: true,
      value: { ...DEFAULT_RULES, 'quota.terminals': { ...DEFAULT_RULES['quota.terminals'], approachingPercent: 50 } },
    });
  });

  it('that is empty is the defaults', () => {
    expect(readRules({})).toEqual({ ok: true, value: DEFAULT_RULES });
  });

  it.each([
    [[], ['the rules are not a JSON object']],
    [{ 'quota.terminal': {} }, [expect.stringContaining('quota.terminal: no such watch')]],
    [{ 'quota.terminals': { approachingPercents: 1 } }, [expect.stringContaining('quota.terminals.approachingPercents: no such number')]],
    [
      { 'quota.terminals': { approachingPercent: '80' }, 'terminal.offline': 3 },
      ['quota.terminals.approachingPercent: not a number from 0', 'terminal.offline: not an object of numbers'],
    ],
    [{ 'quota.terminals': { __proto__x: -1 } }, [expect.stringContaining('no such number')]],
  ])('names everything that is wrong with it: %j', (document, problems) => {
    expect(readRules(document)).toEqual({ ok: false, problems });
  });
});

describe('rules in the log', () => {
  const row = (sn: string): Entry => ({
    kind: 'registry',
    at: MONDAY,
    change: { table: 'terminals', row: { acquirer: 'acme', merchant: 'm-1', sn, lifecycle: 'active' } },
  });
  const limit: Entry = {
    kind: 'registry',
    at: MONDAY,
    change: { table: 'merchants', row: { acquirer: 'acme', merchant: 'm-1', terminal_limit: 10 } },
  };
  const rules = (percent: number, at: number): Entry => ({
    kind: 'rules',
    at,
    body: { 'quota.terminals': { approachingPercent: percent } },
  });

  it('judge what is there already, from their own time on, also after a save', () => {
    const watch = new Watch();
    for (const entry of [limit, ...['SN01', 'SN02', 'SN03', 'SN04', 'SN05'].map(row), rules(50, MONDAY + HOUR)])
      expect(watch.step(entry).transitions).toEqual([]);
    const disk = new Disk();
    save(watch, disk, 1_000);
    const loaded = disk.restore();

    for (const each of [watch, loaded]) {
      const { transitions } = each.step({ kind: 'tick', at: MONDAY + 2 * HOUR });
      expect(transitions).toMatchObject([
        { at: MONDAY + HOUR, transition: 'fired', alert: { reason: 'approaching', severity: 'warning' } },
      ]);
    }
  });

  it('that cannot be read change nothing', () => {
    const watch = new Watch();
    watch.step({ kind: 'rules', at: MONDAY, body: { nonsense: 1 } });

    expect(watch.rulesDocument).toBeNull();
  });
});
