/** A real InfluxDB on a free loopback port, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { eventually } from './eventually.ts';
import { serverPath } from './servers.ts';

const START_WITHIN_MS = 30_000;
const TOKEN = 'test-admin-token-of-this-server';

/**
 * A row of an answer, its values typed by the answer's own annotations; times are RFC 3339 texts. Empty values are left out, and line
 * ends within a text come as \n.
 */
export type FluxRow = Record<string, string | number | boolean>;

export interface Influx {
  readonly url: string;
  readonly token: string;
  readonly org: string;
  readonly bucket: string;
  /** Of the process that runs now; changes with a restart. */
  readonly pid: number;
  /** Ends it cleanly and removes its folder. */
  stop(): Promise<void>;
  /** Ends it by this signal; its data stays for `restart`. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again, at the same address, on the same data; where it still runs it is ended cleanly first. */
  restart(): Promise<void>;
  /** Makes a bucket that keeps points for so many days; its id. */
  makeBucket(name: string, days: number): Promise<string>;
  query(flux: string): Promise<FluxRow[]>;
  /**
   * All points of a measurement, or of those with these tags, in order of series and time, exactly as stored: InfluxQL answers in JSON,
   * Flux in CSV loses line ends.
   */
  points(measurement: string, tags?: Record<string, string>): Promise<StoredPoint[]>;
}

export interface StoredPoint {
  measurement: string;
  tags: Record<string, string>;
  fields: Record<string, number | string | boolean>;
  /** RFC 3339 with up to nine decimals. */
  time: string;
}

/** Errors: throws where this machine has no influxd; test with `lacks('influxd')` before. */
export async function startInflux(): Promise<Influx> {
  const binary = serverPath('influxd');
  if (binary === null) throw new Error('there is no influxd on this machine: see what "npm run servers" says');
  const folder = await mkdtemp(join(tmpdir(), 'tillwatch-influxd-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const access = { url, token: TOKEN, org: 'tillwatch', bucket: 'telemetry' };
  let child = await launch(binary, folder, port, url);
  await setUpInflux(access);

  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  };
  return {
    ...access,
    get pid() {
      return child.pid!;
    },
    end,
    async stop() {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
    async restart() {
      await end('SIGTERM');
      child = await launch(binary, folder, port, url);
    },
    makeBucket: (name, days) => makeBucket(access, name, days),
    query: (flux) => query(access, flux),
    points: (measurement, tags) => points(access, measurement, tags),
  };
}

async function launch(binary: string, folder: string, port: number, url: string): Promise<ChildProcess> {
  const child = spawn(binary, [], { stdio: ['ignore', 'pipe', 'pipe'], env: influxdEnvironment(folder, port) });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  child.once('exit', () => process.off('exit', killWithUs));
  let said = '';
  const listen = (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  };
  child.stdout.on('data', listen);
  child.stderr.on('data', listen);
  await eventually(() => isReady(child, url), { within: START_WITHIN_MS, every: 50 }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw new Error(`influxd did not start: ${said}`, { cause: error });
  });
  return child;
}

/** Its own defaults, its data in a folder. */
export function influxdEnvironment(folder: string, port: number): Record<string, string> {
  return {
    HOME: folder,
    PATH: process.env.PATH ?? '',
    INFLUXD_BOLT_PATH: join(folder, 'influxd.bolt'),
    INFLUXD_ENGINE_PATH: join(folder, 'engine'),
    INFLUXD_SQLITE_PATH: join(folder, 'influxd.sqlite'),
    INFLUXD_HTTP_BIND_ADDRESS: `127.0.0.1:${port}`,
    INFLUXD_REPORTING_DISABLED: 'true',
    INFLUXD_LOG_LEVEL: 'error',
  };
}

async function isReady(child: ChildProcess, url: string): Promise<void> {
  const answer = await fetch(`${url}/ready`);
  await answer.body?.cancel();
  if (answer.status !== 200 || child.exitCode !== null) throw new Error(`not ready: ${answer.status}`);
}

export type InfluxAccess = Pick<Influx, 'url' | 'token' | 'org' | 'bucket'>;

/** Makes its first user, organisation and bucket. */
export async function setUpInflux({ url, token, org, bucket }: InfluxAccess): Promise<void> {
  const body = JSON.stringify({ username: 'admin', password: 'a-password-for-tests', token, org, bucket });
  const answer = await fetch(`${url}/api/v2/setup`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  if (answer.status !== 201) throw new Error(`set-up of influxd failed: ${answer.status} ${await answer.text()}`);
  await answer.body?.cancel();
}

async function makeBucket({ url, token, org }: InfluxAccess, name: string, days: number): Promise<string> {
  const headers = { authorization: `Token ${token}`, 'content-type': 'application/json' };
  const { orgs } = (await (await fetch(`${url}/api/v2/orgs?org=${encodeURIComponent(org)}`, { headers })).json()) as {
    orgs: { id: string }[];
  };
  const retentionRules = days === 0 ? [] : [{ type: 'expire', everySeconds: days * 86_400 }];
  const body = JSON.stringify({ orgID: orgs[0]!.id, name, retentionRules });
  const answer = await fetch(`${url}/api/v2/buckets`, { method: 'POST', headers, body });
  if (answer.status !== 201) throw new Error(`the bucket ${name} was not made: ${answer.status} ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}

async function query({ url, token, org }: InfluxAccess, flux: string): Promise<FluxRow[]> {
  const answer = await fetch(`${url}/api/v2/query?org=${encodeURIComponent(org)}`, {
    method: 'POST',
    headers: { authorization: `Token ${token}`, 'content-type': 'application/json', accept: 'application/csv' },
    body: JSON.stringify({ query: flux, type: 'flux', dialect: { annotations: ['datatype'] } }),
  });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the query failed: ${answer.status} ${text}`);
  return readAnnotatedCsv(text);
}

function readAnnotatedCsv(text: string): FluxRow[] {
  const rows: FluxRow[] = [];
  let types: string[] = [];
  let names: string[] | null = null;
  for (const cells of parse(text, { relax_column_count: true, skip_empty_lines: true }) as string[][]) {
    if (cells[0] === '#datatype') {
      types = cells;
      names = null;
    } else if (names === null) names = cells;
    else rows.push(typedRow(names, types, cells));
  }
  return rows;
}

function typedRow(names: string[], types: string[], cells: string[]): FluxRow {
  const row: FluxRow = {};
  for (let i = 1; i < names.length; i++) {
    const cell = cells[i]!;
    const type = types[i]!;
    if (type === 'string') row[names[i]!] = cell.replaceAll('\r\n', '\n');
    else if (cell === '') continue;
    else if (type === 'double' || type === 'long' || type === 'unsignedLong') row[names[i]!] = Number(cell);
    else row[names[i]!] = type === 'boolean' ? cell === 'true' : cell;
  }
  return row;
}

interface Series {
  tags?: Record<string, string>;
  columns: string[];
  values: (string | number | boolean | null)[][];
}

async function points(
  { url, token, bucket }: InfluxAccess,
  measurement: string,
  tags: Record<string, string> = {},
): Promise<StoredPoint[]> {
  const name = measurement.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  const conditions = Object.entries(tags).map(([tag, value]) => `"${tag}" = '${value}'`);
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
  const parameters = new URLSearchParams({ db: bucket, q: `SELECT * FROM "${name}" ${where} GROUP BY *` });
  const answer = await fetch(`${url}/query?${parameters}`, { headers: { authorization: `Token ${token}` } });
  const text = await answer.text();
  const { results } = JSON.parse(text) as { results?: [{ series?: Series[]; error?: string }] };
  if (results === undefined || results[0].error !== undefined) throw new Error(`the query failed: ${answer.status} ${text}`);
  return (results[0].series ?? []).flatMap((series) => series.values.map((row) => storedPoint(measurement, series, row)));
}

function storedPoint(measurement: string, { tags = {}, columns }: Series, row: Series['values'][number]): StoredPoint {
  const set = (texts: Record<string, string>) => Object.fromEntries(Object.entries(texts).filter(([, value]) => value !== ''));
  const fields = columns.flatMap((column, i) => (i === 0 || row[i] === null ? [] : [[column, row[i]!] as const]));
  return { measurement, tags: set(tags), fields: Object.fromEntries(fields), time: String(row[0]) };
}

export function freePort(): Promise<number> {
  const probe = createServer();
  return new Promise((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
