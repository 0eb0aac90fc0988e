/**
 * A process that has a DuckDB store. `hold`: does nothing with it. `write`: writes until it is killed, 1000 points over five tables a
 * write, its number as the mark. `die`: the same, and is killed inside the fourth write, when four tables of it have been appended.
 */
import { DuckDBConnection } from '@duckdb/node-api';
import { openDuckDbStore } from '../../../collector/store/duckdb.ts';
import type { Point } from '../../../collector/store/point.ts';
import { FOR_EVER, write } from '../../helpers/store.ts';

const [path, task] = process.argv.slice(2);
const store = await openDuckDbStore(path!, FOR_EVER);
if (task === 'hold') {
  setInterval(() => {}, 1000);
  process.send!('held');
}
for (let n = 1; task !== 'hold'; n++) {
  if (task === 'die' && n === 4) dieAtTable(5);
  await write(
    store,
    Array.from({ length: 1000 }, (_, index) => pointOf(n, index)),
    { log: String(n) },
  );
  process.send!(n);
}

function pointOf(write: number, index: number): Point {
  return {
    measurement: `m${Math.floor(index / 200)}`,
    tags: { sn: `SN${index}` },
    fields: { write, index },
    at: 1_763_798_400_000 + write,
  };
}

/** Kills this process when it begins to append to the so manieth table from now on. */
function dieAtTable(count: number): void {
  const createAppender = DuckDBConnection.prototype.createAppender;
  let tables = 0;
  DuckDBConnection.prototype.createAppender = function (...args) {
    if (++tables === count) process.kill(process.pid, 'SIGKILL');
    return createAppender.apply(this, args);
  };
}
