import { fdatasync, fdatasyncSync, write, writeSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { promisify } from 'node:util';

const fdatasyncInPool = promisify(fdatasync);
const writeInPool = promisify(write);

/** What the writer asks of the disk that may be slow, fail or be full. */
export interface Disk {
  /** Writes and syncs, on the event loop. */
  commit(fd: number, bytes: Buffer, position: number): void;
  /** The same in the thread pool. */
  commitInPool(fd: number, bytes: Buffer, position: number): Promise<void>;
  /** Bytes that this user may still write where `dir` is. */
  freeBytes(dir: string): Promise<number>;
}

export const realDisk: Disk = {
  commit(fd, bytes, position) {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
    fdatasyncSync(fd);
  },
  async commitInPool(fd, bytes, position) {
    for (let done = 0; done < bytes.length; ) {
      done += (await writeInPool(fd, bytes, done, bytes.length - done, position + done)).bytesWritten;
    }
    await fdatasyncInPool(fd);
  },
  async freeBytes(dir) {
    const { bavail, bsize } = await statfs(dir);
    return bavail * bsize;
  },
};
