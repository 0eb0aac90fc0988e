import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry } from '../../../protocol/entries.ts';
import { entryFromLine } from '../../../protocol/replay.ts';
import type { Output } from '../../../watch/fold/output.ts';
import { Watch } from '../../../watch/fold/watch.ts';
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

/** What the world hears, as bytes: transitions in order, rows in order. What is asked of terminals is a hint and may be asked again. */
class Told {
  readonly transitions: string[] = [];
  readonly rows: string[] = [];

  add({ transitions, rows }: Output): void {
    this.transitions.push(...transitions.map((t) => JSON.stringify(t)));
    this.rows.push(...rows.map((r) => JSON.stringify(r)));
  }
}

function whole(entries: readonly Entry[]): Told {
  const watch = new Watch();
  const told = new Told();
  for (const e of entries) told.add(watch.step(e));
  told.add(watch.finish());
  return told;
}

/** A state on disk, as saves leave it. */
class Disk {
  readonly #rows = new Map<string, Map<string, string>>();

  write(rows: ReturnType<Watch['takeSaved']>): void {
    for (const { table, key, value } of rows) {
      const kept = this.#rows.get(table) ?? new Map<string, string>();
      this.#rows.set(table, kept);
      if (value === null) kept.delete(key);
      else kept.set(key, value);
    }
  }

  /** A new Watch from what is there; a store gives rows in the order of their keys. */
  restore(): Watch {
    const watch = new Watch();
    const rows = [...this.#rows].flatMap(([table, kept]) => [...kept].sort().map(([key, value]) => ({ table, key, value })));
    watch.load(rows.sort((a, b) => watch.tableNames.indexOf(a.table) - watch.tableNames.indexOf(b.table)));
    return watch;
  }
}

function save(watch: Watch, disk: Disk, limit: number): void {
  watch.beginSave();
  for (let rows = watch.takeSaved(limit); rows.length > 0; rows = watch.takeSaved(limit)) disk.write(rows);
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
  told.add(watch.finish());
  return told;
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
      disk.write(watch.takeSaved(limit));
    }
  }
  for (let rows = watch.takeSaved(limit); rows.length > 0; rows = watch.takeSaved(limit)) disk.write(rows);
  const resumed = new Told();
  const again = disk.restore();
  for (const e of entries.slice(from)) resumed.add(again.step(e));
  resumed.add(again.finish());
  return { kept, resumed };
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

        expect(whole(ticked).transitions).toEqual(whole(entries).transitions);
      }),
      { seed: SEED, numRuns: 200 },
    );
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
  const names = hasScenarios ? readdirSync(dir).filter((f) => /^(quota|offline|quiet|platform|place).*\.jsonl(\.gz)?$/.test(f)) : [];

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
