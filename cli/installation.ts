/** An installation as commands see it: through its API while it runs, else through its files. */
import { readFile } from 'node:fs/promises';
import type { Layout } from '../backbone/layout.ts';
import { whoHolds } from '../backbone/lock.ts';
import { CliError } from './io.ts';

/** What the API answered with an error. `rows`: the bad rows of an import. */
export class ApiError extends CliError {
  readonly rows: { file: string; row: number; problem: string }[];

  constructor(detail: string, rows: { file: string; row: number; problem: string }[]) {
    super(detail);
    this.name = 'ApiError';
    this.rows = rows;
  }
}

export type Post = (path: string, body: unknown) => Promise<Record<string, unknown>>;

/** How to talk to the collector that runs over this data folder; undefined where none does. */
export async function runningApi(paths: Layout): Promise<Post | undefined> {
  const pid = await whoHolds(paths.lock);
  if (pid === undefined) return undefined;
  const http = await addressOf(pid, paths);
  const token = (await readFile(paths.adminToken, 'utf8')).trim();
  return async (path, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(new URL(path, http), { method: 'POST', headers, body: JSON.stringify(body) });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) throw new ApiError(String(answer.detail), (answer.rows as ApiError['rows'] | undefined) ?? []);
    return answer;
  };
}

/** Where the process answers. One that was killed leaves its address behind, and another program may listen there by now. */
async function addressOf(pid: number, { runtime }: Layout): Promise<string> {
  const text = await readFile(runtime, 'utf8').catch(() => Promise.reject(starting()));
  const said = /^\{"pid":(\d+),"http":"([^"]+)"\}\n$/.exec(text);
  if (Number(said?.[1]) !== pid) throw starting();
  return said![2]!;
}

function starting(): CliError {
  return new CliError('the collector over this data folder is just starting or stopping: try again');
}
