import { describe, expect, it } from 'vitest';
import { LogError } from '../../../backbone/log.ts';
import { OUTBOX_READERS } from '../../../collector/owner/outbox.ts';
import { Owner } from '../../../collector/owner/owner.ts';
import { eventually } from '../../helpers/eventually.ts';
import { bound, plant, report, withTerminal } from './harness.ts';

describe('failure', () => {
  it('of the state ends the run, with the reason', async () => {
    const { p, running } = await withTerminal();
    p.state.commit = async () => {
      throw new Error('no space left on this disk');
    };

    p.clock.pass(6_000);
    await p.append(p.beat());

    await expect(running.run).rejects.toThrow('no space left on this disk');
  });

  it('of one save is not papered over by the last one at the end: what it had to say would be lost', async () => {
    const { p, running } = await withTerminal();
    const commit = p.state.commit.bind(p.state);
    const position = () => Buffer.from(p.state.get('owner', 'watch') ?? []).toString();
    const before = position();
    let fail = (_: Error) => {};
    let failing = false;
    p.state.commit = (changes) => {
      if (failing) return commit(changes);
      failing = true;
      return new Promise((_, reject) => {
        fail = reject;
      });
    };
    p.clock.pass(6_000);
    await p.append(p.message('report', { v: 'bad' }), p.beat());
    await eventually(() => expect(failing).toBe(true));

    const stopped = running.stop();
    fail(new Error('no space left on this disk'));

    await expect(stopped).rejects.toThrow('no space left on this disk');
    expect(position()).toBe(before);
  });

  it("of the owner's log ends the run", async () => {
    const p = await plant();
    const deps = p.deps();
    const owner = new Owner({
      ...deps,
      ownerLog: { ...deps.ownerLog, writer: { ...deps.ownerLog.writer, append: () => Promise.reject(new LogError('locked')) } },
    });
    const run = owner.run(new AbortController().signal);
    run.catch(() => {});
    await p.append(p.beat());

    await expect(run).rejects.toMatchObject({ code: 'locked' });
  });

  it("of the brokers' log ends the run", async () => {
    const p = await plant();
    const owner = new Owner({ ...p.deps(), brokersLog: { ...p.brokersLog, read: () => Promise.reject(new LogError('corrupt')) } });

    await expect(owner.run(new AbortController().signal)).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('of a request leaves the others and the run alone', async () => {
    const { p, running } = await withTerminal();

    const bad = running.owner.submit(() => {
      throw new Error('these entries cannot be made');
    });

    await expect(bad).rejects.toThrow('these entries cannot be made');
    await running.owner.submit(bound('SN000002'));
    await p.live(running, 1);
    await running.stop();
    expect(running.owner.watch.state.merchants.get('acme/m-1')!.held).toBe(2);
  });
});

describe('a save', () => {
  it('stands for one moment, though the fold goes on while it is written', async () => {
    const { p, running } = await withTerminal();
    const stage = p.state.stage.bind(p.state);
    let goOn = () => {};
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let staging = false;
    p.state.stage = async (changes) => {
      staging = true;
      await held;
      return stage(changes);
    };
    await p.live(running, 6);
    await eventually(() => expect(staging).toBe(true));
    await p.append(p.message('report', report(p.clock.wall, 1, { power: { battery: 0.25 } })));
    await p.live(running, 1);
    const committed = new Promise<void>((resolve) => {
      const commit = p.state.commit.bind(p.state);
      p.state.commit = (changes) => commit(changes).then(resolve);
    });
    goOn();
    await committed;
    await p.crash();

    const back = await p.start();

    expect(back.owner.watch.state.terminals.get('acme/SN000001')!.last).toMatchObject({ power: { battery: 0.25 } });
  });
});

/** Says something that somebody waits for, and counts the saves, each of which takes so long. */
async function asked(saveMs: number) {
  const { p, running } = await withTerminal();
  const made = { saves: 0 };
  const commit = p.state.commit.bind(p.state);
  p.state.commit = (changes) => {
    made.saves++;
    p.clock.pass(saveMs);
    return commit(changes);
  };
  const ask = async (n: number) => {
    await running.owner.submit((at) => {
      const command = { v: 1, id: `c-${n}`, type: 'report_now', expires: at + 60_000 } as const;
      return [{ kind: 'command', at, acquirer: 'acme', sn: 'SN000001', command }];
    });
    await p.settled(running);
  };
  p.clock.pass(1_000);
  return { p, running, made, ask };
}

it('what is said after a calm is saved at once, and what is said soon after that within a second', async () => {
  const { p, running, made, ask } = await asked(0);

  await ask(0);
  await eventually(() => expect(made.saves).toBe(1));
  for (let n = 1; n < 10; n++) {
    p.clock.pass(50);
    await ask(n);
  }
  const soon = made.saves;
  await p.live(running, 2);

  expect(soon).toBe(1);
  await eventually(() => expect(made.saves).toBe(2));
});

it('where a save takes long, what is said soon after it waits for twenty times as long', async () => {
  const { p, running, made, ask } = await asked(100);

  await ask(0);
  await eventually(() => expect(made.saves).toBe(1));
  await ask(1);
  await p.live(running, 1);
  const soon = made.saves;
  await p.live(running, 1);

  expect(soon).toBe(1);
  await eventually(() => expect(made.saves).toBe(2));
});

it('a save is written in small parts, also what was said in it and what it removes, and its last holds the owner alone', async () => {
  const { p, running } = await withTerminal();
  const sizes: number[] = [];
  const committed = new Set<string>();
  const { stage, commit } = p.state;
  p.state.stage = (changes) => {
    sizes.push(changes.reduce((sum, { value }) => sum + (value?.length ?? 0), 0));
    expect(changes.length).toBeLessThanOrEqual(500);
    return stage.call(p.state, changes);
  };
  p.state.commit = (changes) => {
    for (const { table } of changes) committed.add(table);
    return commit.call(p.state, changes);
  };
  const huge = { v: 'bad', note: 'x'.repeat(60_000) };

  await running.owner.submit((at) => Array.from({ length: 900 }, (_, i) => bound(`SN${200_000 + i}`, `m-${i}`)(at)).flat());
  for (let i = 0; i < 3; i++) await p.append(...Array.from({ length: 50 }, () => p.message('report', huge)));
  await p.live(running, 6);
  await running.stop();

  expect([...p.state.rows('quarantine')]).toHaveLength(150);
  expect(p.outbox().length).toBeGreaterThan(500);
  expect([...committed]).toEqual(['owner']);
  expect(Math.max(...sizes)).toBeLessThan(1_500_000);
});

describe('the outbox', () => {
  it('is emptied of what the store has, at the next save, and stays so after restarts that the feed has not spoken in', async () => {
    const { p, running } = await withTerminal();
    await p.live(running, 130);
    await running.stop();
    const all = p.outbox().length;
    const second = await p.start();
    for (const reader of OUTBOX_READERS) second.owner.outboxRead(reader, all - 1);
    await p.live(second, 1);
    await second.stop();
    const kept = [...p.state.rows('outbox')].map(({ key }) => Number(key));
    const removed: string[] = [];
    const stage = p.state.stage.bind(p.state);
    p.state.stage = (changes) => {
      removed.push(...changes.flatMap(({ table, key, value }) => (table === 'outbox' && value === null ? [key] : [])));
      return stage(changes);
    };

    for (let i = 0; i < 2; i++) {
      const again = await p.start();
      await p.live(again, 6);
      await again.stop();
    }

    const last = await p.start();
    for (const reader of OUTBOX_READERS) last.owner.outboxRead(reader, all - 1);
    await p.live(last, 6);
    await last.stop();

    expect(all).toBeGreaterThan(2);
    expect(kept[0]).toBe(all);
    expect(removed).toEqual([]);
  });
});
