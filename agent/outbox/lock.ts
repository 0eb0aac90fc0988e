import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';

/**
 * Takes an outbox's folder for this process; the answer gives it free. A lock whose process is gone (killed, or of an earlier boot)
 * is taken over.
 * Errors: AgentError `outbox_locked`.
 */
export function lockFolder(dir: string): () => void {
  const path = join(dir, 'lock');
  const mine = `${process.pid} ${birthOf(process.pid)}`;
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, mine, { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readLock(path);
    if (attempt > 0 || isAlive(holder)) throw new AgentError('outbox_locked', `${dir} is held by process ${holder.split(' ')[0]}`);
    rmSync(path, { force: true });
  }
}

function readLock(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(holder: string): boolean {
  const pid = Number(holder.split(' ')[0]);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return holder === `${pid} ${birthOf(pid)}`;
}

/** Tells a process from an earlier one with the same number: the boot, and the start time (proc(5), field 22 of stat). */
function birthOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const afterName = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${afterName[19]}`;
  } catch {
    return '';
  }
}
