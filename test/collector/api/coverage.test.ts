import { latLngToCell } from 'h3-js';
import { describe, expect, it } from 'vitest';
import { type List, problemOf, T, TestApi } from './harness.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Row {
  [member: string]: unknown;
  terminals: number;
  rsrp: { p10: number; median: number; p90: number } | null;
}

interface Heard {
  acquirer?: string;
  merchant?: string;
  site?: string;
  use?: 'fixed' | 'mobile';
  place?: Record<string, unknown>;
  registered?: Record<string, unknown>;
  /** What the signal has besides a level. */
  signal?: Record<string, unknown>;
  until?: number;
}

const CELL = { mcc: '460', mnc: '00', lac: '9cba', cell: '76c6c' };

/** A terminal that is registered and had these levels, an hour apart. */
async function heard(api: TestApi, sn: string, levels: readonly number[], given: Heard = {}): Promise<void> {
  const { acquirer = 'acme', merchant = 'm-1', site = 's-1', use = 'fixed', until = T } = given;
  await api.row('terminals', { acquirer, merchant, site, sn, use, ...given.registered });
  await api.message(acquirer, sn, 'birth', { v: 1, session: 's1', at: T, interval: 3600 });
  const samples = levels.map((rsrp, n) => ({
    at: until - (levels.length - 1 - n) * HOUR,
    signal: { rat: 'lte', rsrp, rsrq: -10, sinr: 12, ...CELL, ...given.signal },
    ...(given.place && { place: given.place }),
  }));
  for (const [seq, sample] of samples.entries()) await api.message(acquirer, sn, 'report', { v: 1, session: 's1', seq, samples: [sample] });
}

const get = async (api: TestApi, query: string) => (await api.get<List<Row>>(`/v1/coverage?${query}`)).items;

describe('coverage', () => {
  it('by site puts its terminals together, each with the median of its day', async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [-80, -82, -100]);
    await heard(api, 'SN000002', [-108, -110, -109, -90]);
    await heard(api, 'SN000003', [-90], { site: 's-2' });

    expect(await get(api, 'by=site')).toEqual([
      {
        acquirer: 'acme',
        merchant: 'm-1',
        site: 's-1',
        terminals: 2,
        rsrp: { p10: -108.5, median: -95.25, p90: -82 },
        rsrq: { p10: -10, median: -10, p90: -10 },
        sinr: { p10: 12, median: 12, p90: 12 },
        weakShare: 0.429,
        criticalShare: 0,
      },
      expect.objectContaining({ site: 's-2', terminals: 1, rsrp: { p10: -90, median: -90, p90: -90 } }),
    ]);
  });

  it('by cell and operator keeps the same cell id at two operators apart', async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [-80]);
    await heard(api, 'SN000002', [-90]);
    await heard(api, 'SN000003', [-100], { signal: { mnc: '01' } });

    expect((await get(api, 'by=cell')).map(({ operator, cell, terminals }) => [operator, cell, terminals])).toEqual([
      ['460-00', '460-00-9cba-76c6c', 2],
      ['460-01', '460-01-9cba-76c6c', 1],
    ]);
    expect((await get(api, 'by=operator')).map(({ operator, terminals, rsrp }) => [operator, terminals, rsrp!.median])).toEqual([
      ['460-00', 2, -85],
      ['460-01', 1, -100],
    ]);
  });

  it('by cell leaves out who is on Wi-Fi, and who does not know its whole cell', async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [-80], { signal: { rat: 'wifi', rssi: -60 } });
    await heard(api, 'SN000002', [-80], { signal: { mcc: undefined } });

    expect(await get(api, 'by=cell')).toEqual([]);
    expect(await get(api, 'by=site')).toEqual([expect.objectContaining({ terminals: 2, rsrp: { p10: -80, median: -80, p90: -80 } })]);
  });

  it('by hexagon takes fixes in WGS-84, whatever datum they came in', async () => {
    const api = new TestApi();
    // Half a kilometre apart as numbers, and one place.
    await heard(api, 'SN000001', [-80], { place: { lat: 31.2304, lon: 121.4737, datum: 'wgs84', accuracy: 20 } });
    await heard(api, 'SN000002', [-90], { place: { lat: 31.228_47, lon: 121.478_2, datum: 'gcj02', accuracy: 20 } });

    const rows = await get(api, 'by=hex&resolution=9');

    expect(rows.map(({ hex, terminals }) => [hex, terminals])).toEqual([[latLngToCell(31.2304, 121.4737, 9), 2]]);
    expect(Math.abs((rows[0]!.lat as number) - 31.2304)).toBeLessThan(0.005);
    expect(Math.abs((rows[0]!.lon as number) - 121.4737)).toBeLessThan(0.005);
  });

  it('by hexagon takes the registered place of a fixed terminal whose fix is vague or missing, and of no mobile one', async () => {
    const api = new TestApi();
    const registered = { lat: 1.3521, lon: 103.8198 };
    await heard(api, 'SN000001', [-80], { registered, place: { lat: 1.3, lon: 103.9, accuracy: 5_000 } });
    await heard(api, 'SN000002', [-80], { registered });
    await heard(api, 'SN000003', [-80], { registered, use: 'mobile' });
    await heard(api, 'SN000004', [-80]);

    expect((await get(api, 'by=hex')).map(({ hex, terminals }) => [hex, terminals])).toEqual([[latLngToCell(1.3521, 103.8198, 8), 2]]);
  });

  it('counts the last hour alone of a terminal that is carried about', async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [-120, -120, -85], { use: 'mobile' });

    expect(await get(api, 'by=site')).toEqual([expect.objectContaining({ rsrp: { p10: -85, median: -85, p90: -85 }, criticalShare: 0 })]);
  });

  it('leaves out who was not heard for a day, was deleted, or never told of a signal', async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [-80], { until: T - DAY - HOUR });
    await heard(api, 'SN000002', [-80]);
    await api.row('terminals', { acquirer: 'acme', merchant: 'm-1', site: 's-1', sn: 'SN000002', lifecycle: 'deleted' });
    await api.terminal('acme', 'SN000003');

    expect(await get(api, 'by=site')).toEqual([]);
  });

  it('counts hours in the weak and the critical band on any radio', async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [0, 0], { signal: { rat: 'gsm', rsrp: undefined, rsrq: undefined, sinr: undefined, rssi: -108 } });

    expect(await get(api, 'by=site')).toEqual([expect.objectContaining({ rsrp: null, weakShare: 0, criticalShare: 1 })]);
  });

  it("shows an acquirer its own terminals' rows alone", async () => {
    const api = new TestApi();
    await heard(api, 'SN000001', [-80]);
    await heard(api, 'SN000002', [-100], { acquirer: 'bolt' });
    const { token } = await api.access.create('acquirer:bolt', 'bolt', T);
    const ofBolt = async (query: string) => {
      const response = await api.request(`/v1/coverage?${query}`, { token });
      return { status: response.status, body: (await response.json()) as List<Row> };
    };

    expect((await get(api, 'by=cell')).map(({ terminals }) => terminals)).toEqual([2]);
    expect((await ofBolt('by=cell')).body.items).toEqual([
      expect.objectContaining({ terminals: 1, rsrp: expect.objectContaining({ median: -100 }) }),
    ]);
    expect((await ofBolt('by=site')).body.items.map(({ acquirer }) => acquirer)).toEqual(['bolt']);
    expect((await ofBolt('by=site&acquirer=acme')).status).toBe(404);
  });

  it('comes in pages that go on where they ended, whatever names sites have', async () => {
    const api = new TestApi();
    const sites = ['一号店'.repeat(40), 'a b', 'c/d', 's-1', 's-2'];
    for (const [n, site] of sites.entries()) await heard(api, `SN00000${n}`, [-80 - n], { site });

    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: List<Row> = await api.get(`/v1/coverage?by=site&limit=2${cursor && `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(2);
      seen.push(...page.items.map(({ site }) => site));
      cursor = page.next;
    }

    expect(seen.toSorted()).toEqual(sites.toSorted());
  });

  it('lets others have their turns while it goes through many terminals', async () => {
    const api = new TestApi();
    for (let n = 0; n < 1_000; n++) await heard(api, `SN${String(n).padStart(6, '0')}`, [-80], { site: `s-${n % 7}` });
    let turns = 0;
    let others = setImmediate(function next() {
      turns++;
      others = setImmediate(next);
    });

    const rows = await get(api, 'by=site');
    clearImmediate(others);

    expect(rows.reduce((sum, { terminals }) => sum + terminals, 0)).toBe(1_000);
    expect(turns).toBeGreaterThanOrEqual(4);
  });

  it.each([
    ['', 'by is one of site, cell, operator, hex'],
    ['by=street', 'by is one of site, cell, operator, hex'],
    ['by=hex&resolution=12', 'resolution is a whole number, 4 to 9'],
    ['by=hex&resolution=x', 'resolution is a whole number, 4 to 9'],
    ['by=cell&resolution=8', 'resolution is of hexagons'],
    ['by=cell&limit=0', 'limit must be'],
    ['by=cell&cursor=%00', 'cursor is not one that this list gave'],
  ])('refuses %j, and says what to ask for', async (query, detail) => {
    const response = await new TestApi().request(`/v1/coverage?${query}`);

    expect(response.status).toBe(400);
    expect((await problemOf(response)).detail).toContain(detail);
  });
});
