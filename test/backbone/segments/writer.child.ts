/** A writer that appends without end, until it is killed: `writer.child.ts DIR RUN`. It tells each sync and each acknowledgement. */
import { writeSync } from 'node:fs';
import { type Disk, realDisk } from '../../../backbone/segments/disk.ts';
import { frameBatch } from '../../../backbone/segments/format.ts';
import { openSegmentWriter } from '../../../backbone/segments/writer.ts';
import { recordOf } from './history.ts';

const [dir, run] = [process.argv[2]!, Number(process.argv[3])];
const IN_FLIGHT = 30;
const say = (line: string) => writeSync(1, `${line}\n`);
const saySynced = (bytes: Buffer) => say(`synced ${frameBatch(bytes, 0)} ${process.hrtime.bigint()}`);

const disk: Disk = {
  ...realDisk,
  commit(fd, bytes, position) {
    realDisk.commit(fd, bytes, position);
    saySynced(bytes);
  },
  async commitInPool(fd, bytes, position) {
    await realDisk.commitInPool(fd, bytes, position);
    saySynced(bytes);
  },
};

const writer = await openSegmentWriter(dir, { segmentBytes: 256 * 1024, disk });
say(`open ${writer.recovery.cut?.bytes ?? 0} ${writer.recovery.lostBatches}`);
let number = 0;

async function appendForEver(): Promise<never> {
  for (;;) {
    const id = ++number;
    const { batch, index } = await writer.append([recordOf(run, id)]);
    say(`acknowledged ${run}-${id} ${batch} ${index}`);
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, appendForEver));
