/** A message that an earlier version could not read, replayed by one that can. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { readAgain } from '../../../collector/owner/again.ts';
import { QUARANTINE, type Quarantined } from '../../../collector/owner/outputs.ts';
import { eventually } from '../../helpers/eventually.ts';
import { KeyedStore, startFeed } from '../feed/harness.ts';
import { birth, bound, Life, type Plant, plant, type RunningOwner, report } from './harness.ts';

/** While it is set, reports with a battery cannot be read: what a version before that member would do. */
const version = vi.hoisted(() => ({ isOld: true }));
vi.mock('../../../protocol/codec/check.ts', async (original) => {
  const real = await original<typeof import('../../../protocol/codec/check.ts')>();
  const checkPayload: typeof real.checkPayload = (channel, value) =>
    version.isOld && JSON.stringify(value).includes('battery')
      ? { ok: false, reason: 'bad_schema', detail: 'power: not known' }
      : real.checkPayload(channel, value);
  return { ...real, checkPayload };
});

/** An owner that has quarantined a report of battery 0.25, sampled a minute before its terminal moved to another merchant. */
async function withQuarantined(life?: Life) {
  version.isOld = true;
  const p = await plant();
  const running = await p.start(life);
  await p.live(running, 1);
  await running.owner.submit(bound('SN000001', 'm-1'));
  await p.append(p.message('birth', birth(p.clock.wall, { app: '1' })), p.message('report', report(p.clock.wall, 1)));
  await p.live(running, 1);
  const receivedAt = p.clock.wall;
  await p.append(p.message('report', report(receivedAt - 500, 2, { power: { battery: 0.25 } })));
  await p.live(running, 60);
  await running.owner.submit(bound('SN000001', 'm-2'));
  await p.append(p.message('birth', birth(p.clock.wall, { session: 's2', app: '2' })));
  await p.live(running, 7);
  const row = await eventually(() => {
    const [found] = rowsIn(p);
    expect(found).toMatchObject({ reason: 'bad_schema', from: 'acme/SN000001' });
    return found!;
  });
  version.isOld = false;
  return { p, running, row, receivedAt };
}

const rowsIn = (p: Plant) => [...p.state.rows(QUARANTINE)].map(({ value }) => JSON.parse(Buffer.from(value).toString()) as Quarantined);

/** As the API does. */
async function replay({ owner }: RunningOwner, row: Quarantined): Promise<void> {
  const again = readAgain(row);
  if (!again.ok) throw new Error(again.detail);
  await owner.submit((at) => (owner.quarantine.find(row.id) ? [again.entry(at)] : []));
}

describe('a replayed message', () => {
  it('is data of its own time and never life, leaves quarantine for good, and is taken once however often it is asked for', async () => {
    const { p, running, row, receivedAt } = await withQuarantined();
    const before = running.owner.watch.state.terminals.get('acme/SN000001')!.presence.lifeAt;
    p.clock.pass(5_000);
    await p.live(running, 1);

    await Promise.all([replay(running, row), replay(running, row), replay(running, row)]);
    await replay(running, row);
    await p.live(running, 7);
    await running.stop();

    const { entries } = await p.foldAgain();
    const replayed = entries.filter((entry) => entry.kind === 'message' && 'replayed' in entry);
    expect(replayed).toMatchObject([
      { sn: 'SN000001', channel: 'report', node: 'n1', decoded: { ok: true }, replayed: { at: receivedAt } },
    ]);
    expect(running.owner.watch.state.terminals.get('acme/SN000001')!.presence.lifeAt).toBe(before);
    expect(running.owner.watch.decisions.get('message replayed')).toBe(1);
    expect([rowsIn(p), running.owner.quarantine.tallies.message.rows]).toEqual([[], 1]);
  });

  it('is one point in the store, under what its terminal was when it was sampled, though the store comes late to it', async () => {
    const { p, running, row, receivedAt } = await withQuarantined();
    const store = new KeyedStore();
    version.isOld = true;
    const early = startFeed(p, store);
    await early.caughtUp();
    version.isOld = false;
    const before = store.of('terminal').map(({ fields }) => fields.seq);

    await replay(running, row);
    await replay(running, row);
    await p.live(running, 1);
    await early.caughtUp();
    const late = new KeyedStore();
    const again = startFeed(p, late);
    await again.caughtUp();

    const point = {
      measurement: 'terminal',
      tags: { acquirer: 'acme', merchant: 'm-1', site: '', sn: 'SN000001', model: '', app: '1' },
      fields: { seq: 2, power_battery: 0.25 },
      at: receivedAt - 500,
    };
    expect(before).toEqual([1]);
    for (const one of [store, late]) expect(one.of('terminal').filter(({ fields }) => fields.seq === 2)).toEqual([point]);
    expect([store.conflicts, late.of('terminal').length]).toEqual([[], 2]);
  });

  it.each([1, 2, 3, 4, 5])('is neither lost nor doubled where the owner is killed at step %i of what it writes', async (step) => {
    const life = new Life();
    const { p, running, row } = await withQuarantined(life);
    life.endAt(step, step % 2 === 0);
    const asked = replay(running, row).catch(() => {});
    await Promise.race([asked, life.ended]);
    await p.append(p.message('report', { v: 'bad' }));
    await Promise.race([life.ended, p.live(running, 10)]);
    await p.crash();

    const next = await p.start();
    await replay(next, row);
    await p.live(next, 7);
    await next.stop();

    const { entries } = await p.foldAgain();
    expect(entries.filter((entry) => entry.kind === 'message' && 'replayed' in entry)).toHaveLength(1);
    expect(rowsIn(p).map(({ id }) => id)).not.toContain(row.id);
    expect(next.owner.quarantine.replayedAt(row.id)).toBeDefined();
  });

  it('of which some samples cannot be true comes back for these', async () => {
    version.isOld = true;
    const p = await plant();
    const running = await p.start();
    await p.live(running, 1);
    const samples = [{ at: p.clock.wall, power: { battery: 1 } }, { at: p.clock.wall + 3_600_000 }];
    await p.append(p.message('birth', birth(p.clock.wall)), p.message('report', { v: 1, session: 's1', seq: 1, samples }));
    await p.live(running, 7);
    const [row] = await eventually(() => {
      expect(rowsIn(p)).toHaveLength(1);
      return rowsIn(p);
    });
    version.isOld = false;

    await replay(running, row!);
    await p.live(running, 7);
    await running.stop();

    expect(running.owner.watch.state.terminals.get('acme/SN000001')!.last).toMatchObject({ power: { battery: 1 } });
    expect(rowsIn(p)).toEqual([{ ...row, id: `${row!.id}-again`, reason: 'bad_time', detail: expect.stringContaining('samples 1') }]);
    expect(readAgain(rowsIn(p)[0]!)).toMatchObject({ ok: false, reason: 'bad_time' });
  });

  it('is a line of the record, with the time that it was of', async () => {
    version.isOld = true;
    const p = await plant();
    const lines: string[] = [];
    const deps = { ...p.deps(), record: (line: string) => void lines.push(line) };
    p.deps = () => deps;
    const running = await p.start();
    onTestFinished(() => running.stop());
    await p.live(running, 1);
    const receivedAt = p.clock.wall;
    await p.append(p.message('report', report(receivedAt, 1, { power: { battery: 1 } })));
    await p.live(running, 7);
    version.isOld = false;

    await eventually(() => expect(rowsIn(p)).toHaveLength(1));
    await replay(running, rowsIn(p)[0]!);

    expect(JSON.parse(lines.at(-1)!)).toEqual({
      at: p.clock.wall,
      topic: 'pos/v1/acme/SN000001/report',
      payload: report(receivedAt, 1, { power: { battery: 1 } }),
      node: 'n1',
      replayOf: { at: receivedAt },
    });
  });
});

describe('there is nothing to replay', () => {
  const row: Quarantined = {
    id: 'x',
    at: 1,
    node: 'n1',
    from: 'acme/SN000001',
    channel: 'report',
    reason: 'bad_json',
    detail: '',
    raw: 'ew==',
  };

  it.each([
    ['a refusal', { raw: null, channel: null, reason: 'bad_token' }, 'refusal', /never had a message/],
    ['a point', { channel: null, reason: 'store_rejected' }, 'point', /store refused/],
    ['samples of an impossible time', { reason: 'bad_time', raw: Buffer.from('{}').toString('base64') }, 'bad_time', /stays impossible/],
    ['what still cannot be read', {}, 'bad_json', /not JSON/],
  ])('of %s', (_, more, reason, detail) => {
    expect(readAgain({ ...row, ...more })).toEqual({ ok: false, reason, detail: expect.stringMatching(detail) });
  });
});
