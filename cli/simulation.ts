/** A live fleet over the installation that runs: registered and enrolled by its API, played until it is stopped. */
import type { Row } from '../simulator/actions.ts';
import { type LiveStats, startFleet } from '../simulator/live/fleet.ts';
import type { Story } from '../simulator/story.ts';
import { type Address, shownAddress } from './address.ts';
import type { Settings } from './config.ts';
import { type Ask, runningApi } from './installation.ts';
import { CliError, type Io } from './io.ts';
import { stopAsked } from './parts.ts';
import type { TruthFile } from './truth.ts';

/** A large registry is read, made durable and folded before the answer. */
const IMPORT_WITHIN_MS = 240_000;
const STATUS_EVERY_MS = 1_000;
const LINE_EVERY_MS = 60_000;

export interface LiveRun {
  story: Story;
  settings: Settings;
  /** Undefined: the local installation's broker. */
  address: Address | undefined;
  /** Undefined: until it is stopped. */
  forMs: number | undefined;
  json: boolean | undefined;
}

export async function simulateLive(
  { story, settings, address = settings.mqtt, forMs, json }: LiveRun,
  truth: TruthFile,
  io: Io,
): Promise<void> {
  const ask = await runningApi(settings, IMPORT_WITHIN_MS);
  if (!ask)
    throw new CliError(
      'no installation runs here to register and enroll the terminals at: start one with "tillwatch start", name one in TILLWATCH_API_URL, or give --entries',
    );
  const { host, port } = address;
  const asked = stopAsked(io);
  const fleet = await startFleet({
    story,
    host,
    port,
    now: Date.now,
    random: Math.random,
    token: tokensFrom(ask),
    register: registerWith(ask),
    onTruth: truth.add,
    say: io.say,
  });
  io.say(
    `${story.terminals} terminals, scenario ${story.scenario.name}, seed ${story.seed}, ${story.speed}x: mqtt://${shownAddress(address)}`,
  );
  const endStatus = showStatus(() => line(fleet.stats()), io);
  await ended(asked, forMs);
  endStatus();
  const stats = await fleet.stop();
  io.out(json ? JSON.stringify(stats) : line(stats));
}

/** Tokens of terminals, each asked for once. */
export function tokensFrom(ask: Ask): (user: string) => Promise<string> {
  const known = new Map<string, string>();
  return async (user) => {
    const token = known.get(user) ?? ((await ask('POST', '/v1/enrolments', { user })).token as string);
    known.set(user, token);
    return token;
  };
}

/** Takes rows into the registry. */
export function registerWith(ask: Ask): (rows: readonly Row[]) => Promise<void> {
  return async (rows) => void (await ask('POST', '/v1/imports', { files: filesOf(rows) }));
}

/** The rows as the files of an import. No value of a simulated fleet holds a comma or a quote. */
function filesOf(rows: readonly Row[]): { name: string; text: string }[] {
  return (['merchants', 'terminals'] as const).flatMap((table) => {
    const own = rows.filter((row) => row.table === table).map(({ row }) => row);
    if (own.length === 0) return [];
    const columns = [...new Set(own.flatMap((row) => Object.keys(row)))];
    const lines = [columns, ...own.map((row) => columns.map((column) => row[column] ?? ''))];
    return [{ name: `${table}.csv`, text: lines.map((cells) => `${cells.join(',')}\n`).join('') }];
  });
}

/** Resolves when it is to stop, or when the time is over. */
function ended(asked: AbortSignal, forMs: number | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (asked.aborted) return resolve();
    asked.addEventListener('abort', () => resolve(), { once: true });
    if (forMs !== undefined) setTimeout(resolve, forMs).unref();
  });
}

/** On a terminal one line that changes, else a line a minute. */
function showStatus(text: () => string, io: Io): () => void {
  const { stderr } = process;
  const write = stderr.isTTY ? () => void stderr.write(`\r\x1b[K${text()}`) : () => io.say(text());
  const timer = setInterval(write, stderr.isTTY ? STATUS_EVERY_MS : LINE_EVERY_MS);
  return () => {
    clearInterval(timer);
    if (stderr.isTTY) stderr.write('\r\x1b[K');
  };
}

function line({ connected, sent, acknowledged, unacknowledged, reconnects, refused, givenUp, incidents }: LiveStats): string {
  const parts = [
    `${connected} connected`,
    `${acknowledged} of ${sent} acknowledged`,
    `${unacknowledged} waiting`,
    `${reconnects} reconnects`,
  ];
  if (refused > 0) parts.push(`${refused} log-ins refused`);
  if (givenUp > 0) parts.push(`${givenUp} given up`);
  return [...parts, `${incidents} incidents under way`].join(', ');
}
