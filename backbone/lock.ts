import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';

/** Another living process, or this one, holds the lock. */
export class LockHeldError extends Error {
  readonly pid: number;

  constructor(path: string, pid: number) {
    super(`process ${pid} holds ${path}: stop it first`);
    this.name = 'LockHeldError';
    this.pid = pid;
  }
}

export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a lock that ends with its process, kill -9 included: the file names the process and when it was started, so that neither
 * a dead holder nor a later process of the same number counts. Holders must share one process table (one machine or container).
 * Errors: LockHeldError.
 */
export async function takeLock(path: string): Promise<Lock> {
  const mine = JSON.stringify({ pid: process.pid, started: startOf(process.pid), id: randomUUID() });
  const unfinished = `${path}.${randomUUID()}.tmp`;
  await writeFile(unfinished, mine, { mode: 0o600 });
  try {
    while (!(await linkNew(unfinished, path))) {
      const held = await contentOf(path);
      const pid = livingHolder(held);
      if (pid !== undefined) throw new LockHeldError(path, pid);
      if (held !== undefined) await removeStale(path, held);
    }
  } finally {
    await rm(unfinished, { force: true });
  }
  return {
    async release() {
      if ((await contentOf(path)) === mine) await rm(path, { force: true });
    },
  };
}

/** The living process that holds a lock, if one does. */
export async function whoHolds(path: string): Promise<number | undefined> {
  return livingHolder(await contentOf(path));
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Two may find the same dead holder: what was moved away is looked at again, and put back where it is another's new lock. */
async function removeStale(path: string, held: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await contentOf(aside)) !== held) await linkNew(aside, path);
  await rm(aside, { force: true });
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function livingHolder(content: string | undefined): number | undefined {
  const match = content === undefined ? null : /^\{"pid":(\d+),"started":(?:"(\d+)"|null)/.exec(content);
  if (!match) return undefined;
  const pid = Number(match[1]);
  return isAlive(pid) && startOf(pid) === (match[2] ?? null) ? pid : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** When a process was started, in clock ticks since boot (proc(5), stat, field 22); null where the system does not tell. */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
