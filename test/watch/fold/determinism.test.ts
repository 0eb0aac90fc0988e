import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../protocol/entries.ts';
import { entryFromLine } from '../../../protocol/replay.ts';
import type { Output } from '../../../watch/fold/output.ts';
import { takeSaved } from '../../../watch/fold/table.ts';
import { Watch } from '../../../watch/fold/watch.ts';
import { Disk, save } from '../support/disk.ts';
import {
  birth,
  DAY,
  entry,
  HOUR,
  hasScenarios,
  type Line,
  MINUTE,
  MONDAY,
  report,
  SCENARIOS,
  SEED,
  serial,
  terminal,
  tick,
} from '../support/log.ts';
import { anyLog } from '../support/logs.ts';
import { batch, event, shop, signal } from '../support/signals.ts';

/**
 * What the world hears, as bytes: transitions, rows and what became of commands, each in order; and what is reported of it all. Orders
 * may be given again.
 */
class Told {
  readonly transitions: string[] = [];
  readonly rows: string[] = [];
  reports: unknown[] = [];

  readonly commands: string[] = [];

  add({ transitions, rows, commands }: Output): void {
    this.transitions.push(...transitions.map((t) => JSON.stringify(t)));
    this.rows.push(...rows.map((r) => JSON.stringify(r)));
    this.commands.push(...commands.map((c) => JSON.stringify(c)));
  }

  end(watch: Watch): this {
    this.add(watch.finish());
    this.reports = watch.reportDays(0, Number.POSITIVE_INFINITY, null).sort((a, b) => a.day - b.day);
    return this;
  }
}

function whole(entries: readonly Entry[]): Told {
  const watch = new Watch();
  const told = new Told();
  for (const e of entries) told.add(watch.step(e));
  return told.end(watch);
}

/** Stops and starts anew from the disk before each of these entries. */
function restarted(entries: readonly Entry[], stops: ReadonlySet<number>): Told {
  const disk = new Disk();
  const told = new Told();
  let watch = new Watch();
  for (const [n, e] of entries.entries()) {
    if (stops.has(n)) {
      save(watch, disk, 7);
      watch = disk.restore();
    }
    told.add(watch.step(e));
  }
  return told.end(watch);
}

/** Begins a save at entry `from`, takes a slice of it after each that follows, and goes on from that save alone. */
function fromSlices(entries: readonly Entry[], from: number, before: number, limit: number): { kept: Told; resumed: Told } {
  const disk = new Disk();
  const kept = new Told();
  const watch = new Watch();
  for (const [n, e] of entries.entries()) {
    if (n === before) save(watch, disk, 50);
    if (n === from) watch.beginSave();
    if (n < from) kept.add(watch.step(e));
    else {
      watch.step(e);
      disk.write(takeSaved(watch.tables, limit));
    }
  }
  for (let rows = takeSaved(watch.tables, limit); rows.length > 0; rows = takeSaved(watch.tables, limit)) disk.write(rows);
  const resumed = new Told();
  const again = disk.restore();
  for (const e of entries.slice(from)) resumed.add(again.step(e));
  return { kept, resumed: resumed.end(again) };
}

const log = anyLog().map((lines) => lines.map(entry));

describe('the fold', () => {
  it('says the same for the same log', () => {
    fc.assert(
      fc.property(log, (entries) => {
        expect(whole(entries)).toEqual(whole(entries));
      }),
      { seed: SEED, numRuns: 50 },
    );
  });

  it('says the same where it is saved and loaded at every entry', () => {
    fc.assert(
      fc.property(log, (entries) => {
        expect(restarted(entries, new Set(entries.keys()))).toEqual(whole(entries));
      }),
      { seed: SEED, numRuns: 120 },
    );
  });

  it('says the same where it is stopped at any entries and started from its last save', () => {
    fc.assert(
      fc.property(log, fc.array(fc.nat(130), { maxLength: 6 }), (entries, stops) => {
        expect(restarted(entries, new Set(stops))).toEqual(whole(entries));
      }),
      { seed: SEED, numRuns: 250 },
    );
  });

  it('goes on from a save whose slices were taken while it went on folding', () => {
    fc.assert(
      fc.property(log, fc.nat(100), fc.nat(100), fc.integer({ min: 1, max: 4 }), (entries, a, b, limit) => {
        const [before, from] = [Math.min(a, b) % entries.length, Math.max(a, b) % entries.length].sort((x, y) => x - y) as [number, number];

        const { kept, resumed } = fromSlices(entries, from, before, limit);

        const want = whole(entries);
        expect([...kept.transitions, ...resumed.transitions]).toEqual(want.transitions);
        expect([...kept.rows, ...resumed.rows]).toEqual(want.rows);
        expect([...kept.commands, ...resumed.commands]).toEqual(want.commands);
        expect(resumed.reports).toEqual(want.reports);
      }),
      { seed: SEED, numRuns: 250 },
    );
  });

  it('says the same whether time is told by ticks or passes between the entries', () => {
    fc.assert(
      fc.property(log, (entries) => {
        const ticked = entries.flatMap((e, n) => {
          const next = entries[n + 1]?.at ?? e.at;
          const gap = next - e.at;
          return gap > 1 ? [e, ...[0.3, 0.7].map((part): Entry => ({ kind: 'tick', at: e.at + Math.floor(gap * part) }))] : [e];
        });

        const [byTicks, between] = [whole(ticked), whole(entries)];
        expect(byTicks.transitions).toEqual(between.transitions);
        expect(byTicks.reports).toEqual(between.reports);
      }),
      { seed: SEED, numRuns: 200 },
    );
  });
});

describe('the fold of a terminal whose signal wanders', () => {
  const sample = fc.record(
    {
      signal: fc.oneof(
        fc.integer({ min: -118, max: -76 }).map(signal),
        fc.constant({ rat: 'gsm', rssi: -99 }),
        fc.constant({ rat: 'lte', rsrp: -80, sinr: -1, mcc: '460', mnc: '00', lac: '1', cell: '2' }),
      ),
      link: fc.record({ reconnects: fc.nat(2) }),
      radio: fc.record({ moving: fc.boolean(), rsrpMedian: fc.constantFrom(-84.5, -107.5) }, { requiredKeys: ['moving'] }),
      place: fc.record({ lat: fc.constantFrom(31, 31.1), lon: fc.constant(121) }),
    },
    { requiredKeys: ['signal'] },
  );
  const word = fc.constantFrom('coverage.weakening', 'coverage.recovered');
  /** The same sample many times, from one at a time to a day of them, or the agent's word. */
  const stretches = fc.array(
    fc.oneof({ weight: 6, arbitrary: fc.tuple(sample, fc.integer({ min: 1, max: 90 })) }, { weight: 1, arbitrary: word }),
    {
      minLength: 3,
      maxLength: 14,
    },
  );

  const logOf = (parts: readonly (string | [object, number])[]) => {
    let [at, seq] = [MONDAY, 0];
    const reports = parts.flatMap((part) => {
      if (typeof part === 'string') return [event(at + 1, seq++, part)];
      return Array.from({ length: part[1] }, () => {
        at += 5 * MINUTE;
        return batch(at, seq++, [{ at, ...JSON.parse(JSON.stringify(part[0])) }]);
      });
    });
    return [...shop(), ...reports].map(entry);
  };

  it('says the same where it is saved and loaded on the way', () => {
    let said = 0;

    fc.assert(
      fc.property(stretches, fc.integer({ min: 1, max: 60 }), (parts, every) => {
        const entries = logOf(parts);
        const told = restarted(entries, new Set([...entries.keys()].filter((n) => n % every === 0)));

        expect(told).toEqual(whole(entries));
        said += told.transitions.filter((t) => t.includes('coverage.weakening')).length;
      }),
      { seed: SEED, numRuns: 60 },
    );
    expect(said).toBeGreaterThan(100);
  });
});

describe('the fold of a terminal that is carried about', () => {
  const step = fc.record({
    wait: fc.integer({ min: 1, max: 12 }),
    degrees: fc.constantFrom(0, 0, 0.004, 0.02, null),
    old: fc.constantFrom(0, 0, 0, 5, 90),
    also: fc.constantFrom('', '', '', 'maintenance', 'silence', 'end', 'sparse'),
  });

  it('says the same where it is saved and loaded at every entry', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
        let at = MONDAY;
        const lines = steps.flatMap(({ wait, degrees, old, also }, n): Line[] => {
          at += wait * MINUTE;
          const place = degrees === null ? {} : { place: { lat: 52.5 + degrees, lon: 13.4 } };
          const fix = { ...report(at, n), payload: { v: 1, session: 's1', seq: n, samples: [{ at: at - old * MINUTE, ...place }] } };
          if (also === '') return [fix];
          if (also === 'sparse') return [birth(at, { sparse: true, interval: 86_400 }), fix];
          return [{ at, operator: { op: also, id: 'w', match: { terminal: serial(1) } } }, fix];
        });
        const entries = [terminal(MONDAY, serial(1), { lat: 52.5, lon: 13.4 }), ...lines, tick(at + HOUR)].map(entry);

        expect(restarted(entries, new Set(entries.keys()))).toEqual(whole(entries));
      }),
      { seed: SEED, numRuns: 150 },
    );
  });
});

describe('the fold of a terminal whose hours are learned', () => {
  it('says the same where it is saved and loaded on the way', () => {
    const heard = Array.from({ length: 36 }, (_, day) =>
      Array.from({ length: 49 }, (_, n) => MONDAY + day * DAY + 9 * HOUR + n * 15 * MINUTE),
    ).flat();
    const lines = [terminal(MONDAY, serial(1)), ...heard.map((at, seq) => report(at, seq)), tick(MONDAY + 38 * DAY)];
    const entries = lines.map(entry);
    const stops = new Set([...entries.keys()].filter((n) => n % 97 === 0));

    const told = restarted(entries, stops);

    expect(told).toEqual(whole(entries));
    expect(told.transitions.length).toBeLessThan(2 * 36); // the last nights are quiet
  });
});

describe.skipIf(!hasScenarios)('the fold of the shared scenarios', () => {
  const dir = join(SCENARIOS, 'dev');
  const names = hasScenarios
    ? readdirSync(dir).filter((f) => /^(coverage|quota|offline|quiet|platform|place|outage|unstable).*\.jsonl(\.gz)?$/.test(f))
    : [];

  it.each(names)('of %s says the same where it is saved and loaded on the way', (name) => {
    const bytes = readFileSync(join(dir, name));
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    const entries = text
      .trimEnd()
      .split('\n')
      .flatMap((line) => {
        const result = entryFromLine(line);
        return result.ok ? [result.entry] : [];
      });
    const every = Math.max(1, Math.floor(entries.length / 40));
    const stops = new Set([...entries.keys()].filter((n) => n % every === 0));

    expect(restarted(entries, stops)).toEqual(whole(entries));
  });
});
