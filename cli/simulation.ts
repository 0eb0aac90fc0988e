/** A live fleet over the installation that runs: registered and enrolled by its API, played until it is stopped, and taken out again. */
import type { Row } from '../simulator/actions.ts';
import { type LiveFleet, type LiveStats, startFleet } from '../simulator/live/fleet.ts';
import type { Story } from '../simulator/story.ts';
import { type Address, shownAddress } from './address.ts';
import type { Settings } from './config.ts';
import { type Ask, runningApi } from './installation.ts';
import { CliError, type Io } from './io.ts';
import { type LastLine, openLastLine } from './last-line.ts';
import { counted } from './lines.ts';
import { aborted, stopAsked } from './parts.ts';
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
  /** Leaves the fleet in the registry. */
  keep: boolean | undefined;
  json: boolean | undefined;
}

/** Errors: CliError where the fleet cannot be registered, could not send, or could not be taken out again. */
export async function simulateLive(run: LiveRun, truth: TruthFile, io: Io): Promise<void> {
  const { story, settings, address = settings.mqtt, forMs, keep, json } = run;
  const ask = await runningApi(settings, IMPORT_WITHIN_MS);
  if (!ask)
    throw new CliError(
      'no installation runs here to register and enroll the terminals at: start one with "tillwatch start", name one in TILLWATCH_API_URL, or give --entries',
    );
  const status = openLastLine(STATUS_EVERY_MS);
  const say = (line: string) => status.above(() => io.say(line));
  const asked = stopAsked({ ...io, say });
  try {
    const fleet = await startFleet({
      ...{ story, ...address, now: Date.now, random: Math.random, token: tokensFrom(ask), register: registerWith(ask) },
      onTruth: truth.add,
      say,
    });
    const url = `mqtt://${shownAddress(address)}`;
    say(`${counted(story.terminals, 'terminal')}, scenario ${story.scenario.name}, seed ${story.seed}, ${story.speed}x: ${url}`);
    const endStatus = showStatus(() => statusLine(fleet.stats()), status, io);
    await ended(asked, forMs);
    endStatus();
    const stats = await fleet.stop();
    const removal = keep ? { removed: 0 } : await removed(fleet);
    io.out(json ? JSON.stringify({ ...stats, ...removal }) : closingLine(stats, removal));
    const problems = [unsent(stats, url), removal.problem].filter((problem) => problem !== undefined);
    if (problems.length > 0) throw new CliError(problems.join('\n'));
  } finally {
    status.end();
  }
}

interface Removal {
  removed: number;
  problem?: string;
}

async function removed(fleet: LiveFleet): Promise<Removal> {
  try {
    return { removed: await fleet.remove() };
  } catch (error) {
    return { removed: 0, problem: `the fleet is still in the registry: ${(error as Error).message}` };
  }
}

/** Why a run was none; undefined where all that was to be sent is acknowledged. */
function unsent({ sent, unacknowledged, logIns, refused, failed }: LiveStats, url: string): string | undefined {
  const waiting = `${unacknowledged} of ${sent} reports are unacknowledged`;
  if (logIns === 0 && refused + failed > 0)
    return `no terminal could log in at ${url}, and ${waiting}: see that it is the broker of this installation, or give that with --url`;
  return unacknowledged > 0 ? `${waiting}: see what the broker at ${url} printed` : undefined;
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
  if (forMs === undefined) return aborted(asked);
  return Promise.race([aborted(asked), new Promise<void>((resolve) => setTimeout(resolve, forMs).unref())]);
}

/** On a terminal a last line that changes, else a line a minute. Returns what ends it. */
function showStatus(text: () => string, last: LastLine, io: Io): () => void {
  if (process.stderr.isTTY) {
    last.show(text);
    return () => last.show(null);
  }
  const timer = setInterval(() => io.say(text()), LINE_EVERY_MS);
  return () => clearInterval(timer);
}

function statusLine(stats: LiveStats): string {
  const { connected, sent, acknowledged, unacknowledged, incidents } = stats;
  const parts = [`${connected} connected`, `${acknowledged} of ${sent} acknowledged`, `${unacknowledged} waiting`];
  return [...parts, ...troubles(stats), `${counted(incidents, 'incident')} under way`].join(', ');
}

function closingLine(stats: LiveStats, { removed }: Removal): string {
  const { sent, acknowledged } = stats;
  const fleet = removed > 0 ? 'fleet removed' : 'fleet kept';
  return `done: ${[`${acknowledged} of ${sent} reports acknowledged`, ...troubles(stats), fleet].join(', ')}`;
}

function troubles({ reconnects, refused, givenUp }: LiveStats): string[] {
  const parts = [counted(reconnects, 'reconnect')];
  if (refused > 0) parts.push(`${counted(refused, 'log-in')} refused`);
  if (givenUp > 0) parts.push(`${givenUp} given up`);
  return parts;
}
