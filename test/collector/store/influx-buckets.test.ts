import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openInfluxStore } from '../../../collector/store/influx.ts';
import type { Point } from '../../../collector/store/point.ts';
import { type Influx, startInflux } from '../../helpers/influx.ts';
import { lacks } from '../../helpers/servers.ts';
import { write } from '../../helpers/store.ts';

const point = (measurement: string, at: number): Point => ({ measurement, tags: { sn: 'SN000001' }, fields: { n: 1 }, at });

describe.skipIf(lacks('influxd'))("InfluxDB's buckets", () => {
  let influx: Influx;
  let orgID: string;
  beforeAll(async () => {
    influx = await startInflux();
    orgID = (await ask<{ orgs: { id: string }[] }>('GET', '/api/v2/orgs')).orgs[0]!.id;
  });
  afterAll(() => influx?.stop());

  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const headers = { authorization: `Token ${influx.token}`, 'content-type': 'application/json' };
    const answer = await fetch(influx.url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** Days that a bucket keeps points, 0 for ever; undefined where there is none. */
  async function daysOf(name: string): Promise<number | undefined> {
    const { buckets } = await ask<{ buckets: { name: string; retentionRules: { everySeconds: number }[] }[] }>(
      'GET',
      '/api/v2/buckets?limit=100',
    );
    const found = buckets.find((bucket) => bucket.name === name);
    return found && (found.retentionRules[0]?.everySeconds ?? 0) / 86_400;
  }

  const make = (name: string, days = 0) => influx.makeBucket(name, days);

  /** A token that may only write to these buckets. */
  async function writeToken(...ids: string[]): Promise<string> {
    const permissions = ids.map((id) => ({ action: 'write', resource: { type: 'buckets', id, orgID } }));
    return (await ask<{ token: string }>('POST', '/api/v2/authorizations', { orgID, permissions })).token;
  }

  function open(bucket: string, { token = influx.token, rawDays = 30, rollupDays = 400 } = {}) {
    const said: string[] = [];
    const store = openInfluxStore({ ...influx, token, bucket, kept: { rawDays, rollupDays }, say: (line) => void said.push(line) });
    return { store, said };
  }

  const read = (bucket: string) =>
    influx.query(
      `from(bucket: "${bucket}") |> range(start: 0) |> group() |> keep(columns: ["_measurement"]) |> sort(columns: ["_measurement"])`,
    );

  it('are two, of which that of the roll-ups is made with its retention where the token may', async () => {
    await make('fresh', 30);
    const { store, said } = open('fresh', { rollupDays: 200 });

    await store.check();

    expect([await daysOf('fresh'), await daysOf('fresh_5m')]).toEqual([30, 200]);
    expect(said).toEqual([]);
  });

  it('hold samples for the one time, roll-ups for the other, and all else for both', async () => {
    await make('both', 30);
    const { store } = open('both');
    const now = Date.now();

    await write(store, [point('terminal', now), point('terminal_5m', now), point('outcomes', now)]);

    expect((await read('both')).map((row) => row._measurement)).toEqual(['outcomes', 'terminal']);
    expect((await read('both_5m')).map((row) => row._measurement)).toEqual(['outcomes', 'terminal_5m']);
  });

  it('of another retention than the settings say, or of none, are left as they are, with a word on what to do', async () => {
    const id = await make('endless');
    await make('ninety', 90);

    const [endless, ninety] = [open('endless'), open('ninety')];
    await endless.store.check();
    await ninety.store.check();

    expect([await daysOf('endless'), await daysOf('ninety')]).toEqual([0, 90]);
    expect(endless.said).toEqual([
      `the bucket "endless" keeps points for ever, and TILLWATCH_RAW_DAYS says 30: it is left as it is. To change it: influx bucket update --id ${id} --retention 30d`,
    ]);
    expect(ninety.said).toEqual([expect.stringMatching(/"ninety" keeps points for 90 days, and TILLWATCH_RAW_DAYS says 30/)]);
  });

  it('that a token may only write to are written to; where there is none for roll-ups it says so once, and samples go on', async () => {
    const token = await writeToken(await make('narrow', 30));
    const { store, said } = open('narrow', { token });

    await store.check();
    await write(store, [point('terminal', Date.now()), point('terminal_5m', Date.now())]);

    expect((await read('narrow')).map((row) => row._measurement)).toEqual(['terminal']);
    expect(said).toEqual([expect.stringMatching(/^no roll-ups: .*"narrow_5m".*influx bucket create --name narrow_5m --retention 400d/)]);
    expect(await daysOf('narrow_5m')).toBeUndefined();
  });

  it('that a token may only write to take roll-ups, too, where both are there', async () => {
    const token = await writeToken(await make('two', 30), await make('two_5m', 400));
    const { store, said } = open('two', { token });

    await write(store, [point('terminal_5m', Date.now())]);

    expect((await read('two_5m')).map((row) => row._measurement)).toEqual(['terminal_5m']);
    expect(said).toEqual([]);
  });

  it('whose first is missing end the check, and nothing is made', async () => {
    await expect(open('missing').store.check()).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringMatching(/404: bucket "missing" not found: create it/),
    });

    expect([await daysOf('missing'), await daysOf('missing_5m')]).toEqual([undefined, undefined]);
  });

  it('of which that of the roll-ups is deleted while it runs are two again', async () => {
    await make('deleted', 30);
    const { store } = open('deleted');
    await store.check();
    const { buckets } = await ask<{ buckets: { id: string; name: string }[] }>('GET', '/api/v2/buckets?limit=100');
    const { id } = buckets.find(({ name }) => name === 'deleted_5m')!;
    await fetch(`${influx.url}/api/v2/buckets/${id}`, { method: 'DELETE', headers: { authorization: `Token ${influx.token}` } });

    await expect(write(store, [point('terminal_5m', Date.now())])).rejects.toMatchObject({ code: 'unauthorized', retry: true });
    await write(store, [point('terminal_5m', Date.now())]);

    expect(await read('deleted_5m')).toHaveLength(1);
  });
});
