/**
 * A process that has a DuckDB store. `hold`: does nothing with it. `write`: writes until it is killed, 1000 points over five tables a
 * write, its number as the mark. `die`: the same, and is killed inside the fourth write, when four tables of it have been appended.
 */
import { openDuckDbStore } from '../../../collector/store/duckdb.ts';
import type { Point } from '../../../collector/store/port.ts';

const [path, task] = process.argv.slice(2);
const store = await openDuckDbStore(path!);
if (task === 'hold') {
  setInterval(() => {}, 1000);
  process.send!('held');
}
for (let write = 1; task !== 'hold'; write++) {
  const points = Array.from({ length: 1000 }, (_, index) => pointOf(write, index));
  if (task === 'die' && write === 4) points.push(deadly(pointOf(write, 999)));
  await store.write(points, { log: String(write) });
  process.send!(write);
}

function pointOf(write: number, index: number): Point {
  return {
    measurement: `m${Math.floor(index / 200)}`,
    tags: { sn: `SN${index}` },
    fields: { write, index },
    at: 1_763_798_400_000 + write,
  };
}

/** Its first reading is the check of the point, its second the append. */
function deadly(point: Point): Point {
  let readings = 0;
  return {
    ...point,
    get nanos() {
      if (++readings === 2) process.kill(process.pid, 'SIGKILL');
      return 0;
    },
  };
}
