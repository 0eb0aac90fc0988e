import { describe, expect, it } from 'vitest';
import { SN_PATTERN } from '../../../protocol/topics.ts';
import { laterSerial, plannedSerial } from '../../../simulator/fleet/names.ts';
import { entry, tell } from '../support.ts';

/** What a story calls its merchants, sites, TIDs and terminals, those included that come later. */
function namesIn(seed: number, terminals = 60): string[] {
  const rows = tell('quota.terminals', { seed, terminals }).lines.map(entry);
  return [
    ...new Set(
      rows.flatMap((one) => {
        if (one.kind !== 'registry') return [];
        const { merchant, site, sn, tid } = one.change.row as Record<string, string>;
        return [merchant, site, sn, tid].filter((name) => name !== undefined);
      }),
    ),
  ];
}

describe('the names of a simulated fleet', () => {
  it('are its own: they say that they are simulated, and of which seed', () => {
    const names = namesIn(7);

    expect(names).toEqual(expect.arrayContaining(['sim7-1001', 'sim7-1001-1', 'SIM7-00100101', '7-00100101']));
    expect(names.filter((name) => !/^(sim7-\d{4}(-\d)?|SIM7-\d{6}(\d{2}|N\d+)|7-\d{6}(\d{2}|N\d+))$/.test(name))).toEqual([]);
  });

  it('are shared by no two seeds, so that two fleets can run side by side', () => {
    const others = new Set(namesIn(8));

    expect(namesIn(7).filter((name) => others.has(name))).toEqual([]);
  });

  it('are serial numbers by the contract even in the largest fleet of the largest seed', () => {
    const last = { seed: Number.MAX_SAFE_INTEGER, index: 9_999_999 };

    for (const sn of [plannedSerial(last, 98), laterSerial(last, 999)]) expect(sn).toMatch(SN_PATTERN);
  });
});
