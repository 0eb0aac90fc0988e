/** An installation as commands see it: through its API while it runs, else through its files. */
import { readFile } from 'node:fs/promises';
import type { Layout } from '../backbone/layout.ts';
import { whoHolds } from '../backbone/lock.ts';
import { CliError, unreadable } from './io.ts';

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

const ANSWER_WITHIN_MS = 30_000;

/** How to talk to the collector that runs over this data folder; undefined where none does. A post's errors: CliError, ApiError. */
export async function runningApi(paths: Layout, withinMs = ANSWER_WITHIN_MS): Promise<Post | undefined> {
  const pid = await whoHolds(paths.lock);
  if (pid === undefined) return undefined;
  const collector = `the collector (process ${pid})`;
  const http = await addressOf(pid, paths);
  const token = (await readFile(paths.adminToken, 'utf8').catch((error) => Promise.reject(unreadable(paths.adminToken, error)))).trim();
  return async (path, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const asked = { method: 'POST', headers, body: JSON.stringify(body), signal: AbortSignal.timeout(withinMs) };
    try {
      const response = await fetch(new URL(path, http), asked);
      return answerOf(response.status, await response.text(), `${collector} at ${http}`);
    } catch (error) {
      throw error instanceof CliError ? error : new CliError(silence(error as Error, `${collector} at ${http}`, withinMs));
    }
  };
}

function answerOf(status: number, text: string, collector: string): Record<string, unknown> {
  const answer = documentIn(text);
  if (status < 400 && answer) return answer;
  if (typeof answer?.detail === 'string') throw new ApiError(answer.detail, (answer.rows as ApiError['rows'] | undefined) ?? []);
  throw new CliError(`${collector} answered ${status} without saying why: see what it printed`);
}

function documentIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function silence(error: Error, collector: string, withinMs: number): string {
  if (error.name === 'TimeoutError')
    return `${collector} has not answered within ${withinMs / 1000} s, and may still do what was asked: see what it printed, then try again`;
  const code = (error.cause as NodeJS.ErrnoException | undefined)?.code;
  return `${collector} cannot be reached (${code ?? error.message}): try again, or stop it and try then`;
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
