import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DuckDbStore, openDuckDbStore } from '../../../collector/store/duckdb.ts';
import type { Point } from '../../../collector/store/point.ts';
import { StoreError } from '../../../collector/store/port.ts';
import { type ReadPoint, storeContract } from '../../contract/store.contract.ts';
import { FOR_EVER, write } from '../../helpers/store.ts';

const AT = 1_763_798_400_000;
const CHILD = fileURLToPath(new URL('./duckdb-child.ts', import.meta.url));

async function read(store: DuckDbStore, measurement: string): Promise<ReadPoint[]> {
  const rows = await store.query(`SELECT * FROM main."${measurement.replaceAll('"', '""')}"`);
  return rows.map(({ at, nanos, ...columns }) => ({
    values: Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== null)) as ReadPoint['values'],
    time: (at as bigint) * 1_000_000n + BigInt(nanos as number),
  }));
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tillwatch-duckdb-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

storeContract('DuckDB', async () => {
  const own = await mkdtemp(join(tmpdir(), 'tillwatch-duckdb-'));
  const store = await openDuckDbStore(join(own, 'telemetry.duckdb'), FOR_EVER);
  return {
    store,
    read: (measurement) => read(store, measurement),
    async close() {
      await store.close();
      await rm(own, { recursive: true, force: true });
    },
  };
});

describe('the DuckDB store', () => {
  const path = () => join(folder, 'data', 'telemetry.duckdb');
  const point = (n: number, fields: Point['fields'] = { n }): Point => ({ measurement: 'm', tags: { sn: 'SN000001' }, fields, at: AT + n });

  it('keeps marks and points over a restart, in a file of its own user', async () => {
    const first = await openDuckDbStore(path(), FOR_EVER);
    await write(first, [point(1)], { log: '1-0', watch: 'a' });
    await write(first, [point(2)], { log: '2-0' });
    await first.close();

    const second = await openDuckDbStore(path(), FOR_EVER);
    await write(second, [point(3)], {});

    expect(await second.marks()).toEqual({ log: '2-0', watch: 'a' });
    expect((await read(second, 'm')).map(({ values }) => values.n)).toEqual([1, 2, 3]);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    await second.close();
  });

  it('has no marks at first, and moves them without points', async () => {
    const store = await openDuckDbStore(path(), FOR_EVER);

    expect(await store.marks()).toEqual({});
    await write(store, [], { log: '7-0' });

    expect(await store.marks()).toEqual({ log: '7-0' });
    await store.close();
  });

  it('writes calls made at once one after another', async () => {
    const store = await openDuckDbStore(path(), FOR_EVER);

    await Promise.all([1, 2, 3, 4].map((n) => write(store, [point(n)], { log: String(n) })));

    expect((await read(store, 'm')).map(({ values }) => values.n)).toEqual([1, 2, 3, 4]);
    expect(await store.marks()).toEqual({ log: '4' });
    await store.close();
  });

  it('refuses a point with a field of another type than before, and takes its neighbours', async () => {
    const store = await openDuckDbStore(path(), FOR_EVER);
    await write(store, [point(1)], { log: '1' });
    const refused: [number, string][] = [];

    await write(store, [point(2), point(3, { fresh: 1, n: 'three' }), point(4, { n: true })], { log: '4' }, async ([bad], why) => {
      refused.push([bad!.at - AT, why]);
    });
    await write(store, [point(5, { fresh: 'text is fine: no column came of the refused point' })], { log: '5' });

    expect(refused).toEqual([
      [3, 'n is VARCHAR here, and DOUBLE in the points before'],
      [4, 'n is BOOLEAN here, and DOUBLE in the points before'],
    ]);
    expect((await read(store, 'm')).map(({ time }) => Number(time / 1_000_000n) - AT)).toEqual([1, 2, 5]);
    expect(await store.marks()).toEqual({ log: '5' });
    await store.close();
  });

  it('knows the types of its fields over a restart', async () => {
    const first = await openDuckDbStore(path(), FOR_EVER);
    await write(first, [point(1)]);
    await first.close();
    const second = await openDuckDbStore(path(), FOR_EVER);

    await expect(write(second, [point(2, { n: 'two' })])).rejects.toThrow(/n is VARCHAR here, and DOUBLE/);

    await second.close();
  });

  it('refuses names that differ in case alone, which DuckDB takes for one', async () => {
    const store = await openDuckDbStore(path(), FOR_EVER);
    await write(store, [point(1)]);

    await expect(write(store, [point(2, { N: 1 })])).rejects.toThrow(/N and n are one name/);
    await expect(write(store, [{ ...point(2), measurement: 'M' }])).rejects.toThrow(/M and m differ in case/);
    await expect(write(store, [point(2, { AT: 1 })])).rejects.toThrow(/AT and at are one name/);

    await store.close();
  });

  it('says in one line that another process has the file', async () => {
    const child = fork(CHILD, [path(), 'hold'], { execArgv: ['--import', 'tsx'] });
    await once(child, 'message');

    const error = await openDuckDbStore(path(), FOR_EVER).catch((e: unknown) => e);

    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'locked', retry: false });
    expect((error as Error).message).toMatch(new RegExp(`^the store is open in another process .*PID ${child.pid}\\)?.*$`));
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    await (await openDuckDbStore(path(), FOR_EVER)).close();
  });

  it('finishes the writes under way when it is closed, and takes none after', async () => {
    const store = await openDuckDbStore(path(), FOR_EVER);

    const [written] = await Promise.allSettled([write(store, [point(1)], { log: '1' }), store.close()]);

    expect(written.status).toBe('fulfilled');
    await expect(write(store, [point(2)])).rejects.toMatchObject({ code: 'unavailable' });
    const again = await openDuckDbStore(path(), FOR_EVER);
    expect(await again.marks()).toEqual({ log: '1' });
    await again.close();
  });

  it('says that a file is no DuckDB file', async () => {
    const other = join(folder, 'notes.txt');
    await writeFile(other, 'not a database '.repeat(1000));

    await expect(openDuckDbStore(other, FOR_EVER)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('not a valid DuckDB'),
    });
  });

  const expectWholeWrites = async (acknowledged: number) => {
    const store = await openDuckDbStore(path(), FOR_EVER);
    const written = Number((await store.marks())!.log);
    const tables = [0, 1, 2, 3, 4].map((n) => `SELECT "write", "index" FROM m${n}`).join(' UNION ALL ');
    const perWrite = await store.query(
      `SELECT "write", count(*)::INTEGER AS n, count(DISTINCT "index")::INTEGER AS d FROM (${tables}) GROUP BY ALL ORDER BY ALL`,
    );

    expect(written).toBeGreaterThanOrEqual(acknowledged);
    expect(perWrite).toEqual(Array.from({ length: written }, (_, i) => ({ write: i + 1, n: 1000, d: 1000 })));
    await store.close();
    return written;
  };

  it('has nothing of a write that kill -9 cut off between its tables', async () => {
    const child = fork(CHILD, [path(), 'die'], { execArgv: ['--import', 'tsx'] });

    const [, signal] = (await once(child, 'exit')) as [null, string];

    expect(signal).toBe('SIGKILL');
    expect(await expectWholeWrites(3)).toBe(3);
  });

  it.each([1, 2, 3])('has all of a write or nothing of it after kill -9 at any time, round %i', async (round) => {
    const child = fork(CHILD, [path(), 'write'], { execArgv: ['--import', 'tsx'] });
    const gone = once(child, 'exit');
    let acknowledged = 0;
    child.on('message', (n) => {
      acknowledged = n as number;
      if (acknowledged === 5 * round) child.kill('SIGKILL');
    });
    await gone;

    await expectWholeWrites(acknowledged);
  });
});
