/** An installation as commands see it: through its API while it runs, here or elsewhere, else through its files. */
import { readFile } from 'node:fs/promises';
import { type Layout, layout, prepareDataDir } from '../backbone/layout.ts';
import { whoHolds } from '../backbone/lock.ts';
import type { Settings } from './config.ts';
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

/** One request of the API and its answer's document; `{}` where it has none. Errors: CliError, ApiError. */
export type Ask = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: unknown) => Promise<Record<string, unknown>>;

const ANSWER_WITHIN_MS = 30_000;

/**
 * How to talk to the collector that TILLWATCH_API_URL names, or else to the one that runs over the data folder; undefined where none
 * does. Errors: CliError.
 */
export async function runningApi(settings: Settings, withinMs = ANSWER_WITHIN_MS): Promise<Ask | undefined> {
  if (settings.api) return askAt(settings.api.url, settings.api.token, `the collector at ${settings.api.url}`, withinMs);
  const paths = await prepareDataDir(settings.dataDir);
  const pid = await whoHolds(paths.lock);
  if (pid === undefined) return undefined;
  const http = await addressOf(pid, paths);
  const token = (await readFile(paths.adminToken, 'utf8').catch((error) => Promise.reject(unreadable(paths.adminToken, error)))).trim();
  return askAt(http, token, `the collector (process ${pid}) at ${http}`, withinMs);
}

/** As `runningApi`, for what only a running collector can do. */
export async function neededApi(settings: Settings): Promise<Ask> {
  const ask = await runningApi(settings);
  if (ask) return ask;
  throw new CliError(
    `nothing runs over ${layout(settings.dataDir).root}: start it with "tillwatch start", or name the collector in TILLWATCH_API_URL`,
  );
}

function askAt(url: string, token: string, collector: string, withinMs: number): Ask {
  return async (method, path, body) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    try {
      const response = await fetch(url.replace(/\/+$/, '') + path, { method, headers, ...content, signal: AbortSignal.timeout(withinMs) });
      return answerOf(response.status, await response.text(), collector);
    } catch (error) {
      throw error instanceof CliError ? error : new CliError(silence(error as Error, collector, withinMs));
    }
  };
}

function answerOf(status: number, text: string, collector: string): Record<string, unknown> {
  const answer = status === 204 ? {} : documentIn(text);
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
  return `${collector} cannot be reached (${code ?? error.message}): see that it runs, and try again`;
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
