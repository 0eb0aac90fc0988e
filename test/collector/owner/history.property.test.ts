/** Whatever happens to the owner, both logs hold the one order that it folded, and what it announced is what a fold from nothing says. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLmdbState } from '../../../backbone/lmdb.ts';
import { importEntries } from '../../../collector/import/entries.ts';
import { Snapshot } from '../../../collector/snapshot.ts';
import type { BrokerRecord } from '../../../protocol/record.ts';
import { takeSaved } from '../../../watch/fold/table.ts';
import type { Watch } from '../../../watch/fold/watch.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { birth, LastingState, Life, type Plant, plant, type RunningOwner, registry, report } from './harness.ts';

type Op =
  | { op: 'beat'; node: string; quietMs: number }
  | { op: 'burst'; wait: boolean; sn: number; kinds: ('beat' | 'birth' | 'report' | 'torn' | 'lost' | 'goodbye' | 'ack' | 'refusal')[] }
  | { op: 'bind'; sn: number; merchant: string; lifecycle: string }
  | { op: 'limit'; merchant: string; limit: number }
  | { op: 'import'; rows: number }
  | { op: 'command'; sn: number; lastsMs: number }
  | { op: 'step'; ms: number }
  | { op: 'restart'; awayMs: number }
  | { op: 'crash'; steps: number; after: boolean };

const sn = fc.integer({ min: 1, max: 4 });
const merchant = fc.constantFrom('m-1', 'm-2');
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constant('beat' as const),
      node: fc.constantFrom('n1', 'n1', 'n2'),
      quietMs: fc.constantFrom(1_000, 1_000, 4_000, 30_000, 600_000),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      op: fc.constant('burst' as const),
      wait: fc.boolean(),
      sn,
      kinds: fc.array(
        fc.constantFrom(
          'beat' as const,
          'beat' as const,
          'birth' as const,
          'report' as const,
          'torn' as const,
          'lost' as const,
          'goodbye' as const,
          'ack' as const,
          'refusal' as const,
        ),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('bind' as const),
      sn,
      merchant,
      lifecycle: fc.constantFrom('active', 'pending', 'swapped_out', 'deleted'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('limit' as const), merchant, limit: fc.integer({ min: 0, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('import' as const), rows: fc.constantFrom(2, 1_200) }) },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('command' as const), sn, lastsMs: fc.constantFrom(1_000, 60_000, 86_400_000) }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('step' as const), ms: fc.constantFrom(-60_000, 60_000) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('restart' as const), awayMs: fc.constantFrom(0, 7_200_000) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('crash' as const), steps: fc.integer({ min: 1, max: 6 }), after: fc.boolean() }) },
);

/** Drives one installation through the operations; where the owner's life ends under one of them, the next begins. */
class Story {
  readonly plant: Plant;
  #running!: RunningOwner;
  #life = new Life();
  #seq = 0;
  #imports = 0;
  #commands = 0;

  constructor(p: Plant) {
    this.plant = p;
  }

  async begin(life = new Life()): Promise<void> {
    this.#life = life;
    this.#running = await this.plant.start(life);
    if (life.dead) await this.begin();
  }

  async do(op: Op): Promise<void> {
    const { plant: p } = this;
    switch (op.op) {
      case 'beat':
        p.clock.pass(op.quietMs);
        return this.#take(p.append(p.beat({ node: op.node })));
      case 'burst': {
        const appended = p.append(...op.kinds.map((kind) => this.#record(kind, `SN00000${op.sn}`)));
        return op.wait ? this.#take(appended) : appended;
      }
      case 'bind':
        return this.#submit((at) => [
          registry('terminals', { acquirer: 'acme', merchant: op.merchant, sn: `SN00000${op.sn}`, lifecycle: op.lifecycle }, at),
        ]);
      case 'limit':
        return this.#submit((at) => [registry('merchants', { acquirer: 'acme', merchant: op.merchant, terminal_limit: op.limit }, at)]);
      case 'import': {
        const rows = Array.from({ length: op.rows }, (_, i) =>
          registry('terminals', { acquirer: 'acme', merchant: 'm-1', sn: `SN${200_000 + i}` }, 0),
        );
        const changes = rows.flatMap((entry) => (entry.kind === 'registry' ? [entry.change] : []));
        return this.#submit((at) => importEntries(changes, `i${++this.#imports}`, at));
      }
      case 'command': {
        const id = `c${++this.#commands}`;
        const terminal = { acquirer: 'acme', sn: `SN00000${op.sn}` };
        return this.#submit((at) => [
          { kind: 'command', at, ...terminal, command: { v: 1, id, type: 'report_now', expires: at + op.lastsMs } },
        ]);
      }
      case 'step':
        p.clock.wall += op.ms;
        return;
      case 'restart':
        await this.#end();
        p.clock.pass(op.awayMs);
        return this.begin();
      case 'crash':
        // What it does next is its last: some step of what follows.
        await this.#end();
        return this.begin(new Life(op.steps, op.after));
    }
  }

  /** The end of the story: a living owner reads all there is, and stops cleanly. */
  async finish(): Promise<Watch> {
    await this.#end();
    await this.begin();
    for (let i = 0; i < 3; i++) {
      this.plant.clock.pass(120_000);
      await this.#take(this.plant.append(this.plant.beat()));
    }
    await this.#running.stop();
    return this.#running.owner.watch;
  }

  async #end(): Promise<void> {
    if (!this.#life.dead) await Promise.race([this.#running.stop(), this.#life.ended]);
  }

  async #take(appended: Promise<void>): Promise<void> {
    await appended;
    await this.#unlessItDies(this.plant.settled(this.#running));
  }

  #submit(entries: Parameters<RunningOwner['owner']['submit']>[0]): Promise<void> {
    return this.#unlessItDies(this.#running.owner.submit(entries));
  }

  async #unlessItDies(work: Promise<void>): Promise<void> {
    work.catch(() => {});
    await Promise.race([work, this.#life.ended]);
    if (this.#life.dead) await this.begin();
  }

  #record(kind: Extract<Op, { op: 'burst' }>['kinds'][number], of: string): BrokerRecord {
    const { plant: p } = this;
    const at = p.clock.wall;
    const state = (name: string) =>
      p.message('state', { v: 1, session: 's1', ...(name === 'lost' ? {} : { at }), state: name }, { sn: of });
    switch (kind) {
      case 'beat':
        p.clock.pass(6_500);
        return p.beat();
      case 'birth':
        return p.message('birth', birth(at), { sn: of });
      case 'report':
        return p.message('report', report(at, ++this.#seq), { sn: of });
      case 'torn':
        return { ...p.message('report', {}, { sn: of }), payload: Buffer.from('{') } as BrokerRecord;
      case 'ack':
        return p.message('ack', { v: 1, id: `c${this.#commands}`, ok: true }, { sn: of });
      case 'refusal':
        return { kind: 'refusal', at, node: 'n1', user: `acme/${of}`, reason: 'expired', detail: '' };
      default:
        return state(kind);
    }
  }
}

function stateOf(watch: Watch): Record<string, unknown> {
  watch.beginSave();
  const rows: [string, unknown][] = [];
  for (let slice = takeSaved(watch.tables, 1_000); slice.length > 0; slice = takeSaved(watch.tables, 1_000)) {
    for (const { table, key, value } of slice) if (value !== null) rows.push([`${table} ${key}`, JSON.parse(value)]);
  }
  return Object.fromEntries(rows);
}

async function checkHistory(p: Plant, ops: Op[]): Promise<void> {
  const story = new Story(p);
  await story.begin();
  for (const step of ops) await story.do(step);
  const live = await story.finish();

  const again = await p.foldAgain();

  expect(p.outbox()).toEqual(again.rows);
  expect(p.commands()).toEqual(again.commands);
  const kept = [...new Snapshot(p.state, live.tables).rows()].map(({ table, key, value }) => [`${table} ${key}`, JSON.parse(value!)]);
  const expected = stateOf(again.watch);
  expect(Object.fromEntries(kept)).toEqual(expected);
}

describe('through restarts and crashes at any step', () => {
  it('a fold from nothing over both logs announces the same and comes to the same state', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 5, maxLength: 40 }), async (ops) => {
        const p = await plant();
        await checkHistory(p, ops);
      }),
      { numRuns: Number(process.env.TILLWATCH_PROPERTY_RUNS ?? 40), seed: 20_251_122 },
    );
  }, 120_000);

  it('and so it does on LMDB', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 10, maxLength: 30 }), async (ops) => {
        const p = await plant(new LastingState(await openLmdbState(await tempDir())));
        await checkHistory(p, ops);
      }),
      { numRuns: 6, seed: 20_251_123 },
    );
  }, 120_000);
});
