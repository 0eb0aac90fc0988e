import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Draft } from '../../../collector/store/draft.ts';
import { openDuckDbStore } from '../../../collector/store/duckdb.ts';
import { lacksMounts, smallDisk } from '../../helpers/small-disk.ts';
import { FOR_EVER } from '../../helpers/store.ts';

/** DuckDB moves its log into the file when that has 16 MB. */
const NEARLY_MOVED_BYTES = 15_000_000;
/** Room for the rest of the log, and none for the file. */
const FREE_BYTES = 3_000_000;
const FIELDS = Array.from({ length: 40 }, (_, n) => `n${n}`);

it.skipIf(lacksMounts())(
  'a write that is durable, and fails as the disk has no room for the file, is there once when it is tried again',
  async () => {
    const disk = await smallDisk(64);
    const file = join(disk.path, 'telemetry.duckdb');
    const store = await openDuckDbStore(file, FOR_EVER);
    const draft = new Draft();
    let made = 0;
    let marks = 0;
    const nextWrite = (points: number) => {
      const batch = store.batch();
      for (let i = 0; i < points; i++) {
        // Numbers that no compression makes small.
        const fields = Object.fromEntries(FIELDS.map((name, n) => [name, Math.sin(41 * made + n)]));
        batch.add(draft.of({ measurement: 'm', tags: { sn: 'SN000001' }, fields, at: ++made }));
      }
      const mark = { log: String(++marks) };
      return () => batch.write(mark, () => Promise.reject(new Error('refused')));
    };
    const logBytes = async () => (await stat(`${file}.wal`)).size;
    do await nextWrite(1_000)();
    while ((await logBytes()) < NEARLY_MOVED_BYTES);
    disk.fill({ except: FREE_BYTES });

    let write = nextWrite(100);
    let failure = await failureOf(write());
    while (!failure) {
      write = nextWrite(100);
      failure = await failureOf(write());
    }
    disk.free();
    await write();

    expect(failure.message).toMatch(/COMMIT succeeded and is durable/);
    expect(await store.query('SELECT count(*)::INTEGER AS n, count(DISTINCT "at")::INTEGER AS d FROM m')).toEqual([{ n: made, d: made }]);
    expect(await store.marks()).toEqual({ log: String(marks) });
    await store.close();
  },
);

function failureOf(write: Promise<void>): Promise<Error | undefined> {
  return write.then(
    () => undefined,
    (error: Error) => error,
  );
}
