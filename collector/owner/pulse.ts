/**
 * What the brokers' heartbeats say of our own sight: when they stop, a broker (or all of us) was away, and when wall clock and
 * monotonic clock disagree, the clock stepped.
 */
import type { HeartbeatEntry, PlatformEntry } from '../../protocol/entries.ts';

/** Heartbeats come each second; without one for longer than this, a broker is down. A clock that is off by more has stepped. */
export const PULSE_LIMIT_MS = 5_000;

interface Beat {
  at: number;
  boot: string;
  uptime: number;
  down: boolean;
  /** When it came, and when the node's first one came, by the time of all entries: nodes' clocks may differ. */
  heardAt: number;
  firstAt: number;
  /** Its uptime at the last tick. */
  tickedUptime?: number;
}

/** Messages and heartbeats of one broker may be stamped and logged in another order; by more than this no clock is behind by that. */
const BEHIND_MS = 1_000;

/** The last heartbeat of each node. Plain data: it is saved with the fold. */
export type Pulse = Record<string, Beat>;

/**
 * What has to be said before this heartbeat is taken in, each entry at its own time: of its node, and of those that have not been heard
 * for too long when it came, so that time does not move on without them. `lastAt`: the time of the entry before, up to which we did see.
 */
export function noteHeartbeat(pulse: Pulse, { node, at, boot, uptime }: HeartbeatEntry, lastAt: number): PlatformEntry[] {
  const last = pulse[node];
  const heardAt = Math.max(at, lastAt);
  const lived = last?.boot === boot ? last : undefined;
  pulse[node] = {
    at,
    boot,
    uptime,
    down: false,
    heardAt,
    firstAt: last?.firstAt ?? heardAt,
    ...(lived?.tickedUptime !== undefined && { tickedUptime: lived.tickedUptime }),
  };
  const silent = noteSilence(pulse, (other) => heardAt - pulse[other]!.heardAt, lastAt);
  return [...silent, ...ofNode(last, pulse[node], node, lastAt), ...replacedBy(pulse, node, heardAt)];
}

/**
 * Where one broker is all there is, one that came after another had fallen silent is in its place (a container has a new name at each
 * start): we see again.
 */
function replacedBy(pulse: Pulse, node: string, at: number): PlatformEntry[] {
  const { firstAt } = pulse[node]!;
  const others = Object.keys(pulse).filter((other) => other !== node);
  if (others.some((other) => !pulse[other]!.down)) return [];
  const gone = others.filter((other) => pulse[other]!.heardAt < firstAt);
  for (const other of gone) delete pulse[other];
  return gone.map((other) => broker(other, 'up', at));
}

function ofNode(last: Beat | undefined, { at, boot, uptime }: Beat, node: string, lastAt: number): PlatformEntry[] {
  if (!last) return [];
  const passed = at - last.at;
  const lived = last.boot === boot ? uptime - last.uptime : passed;
  const step = passed - lived;
  const up = last.down ? [broker(node, 'up', at)] : [];
  if (Math.abs(step) > PULSE_LIMIT_MS) return [...clockStepped(node, Math.round(step), at, lastAt), ...up];
  if (last.down) return up;
  return passed > PULSE_LIMIT_MS ? [broker(node, 'down', lastAt), broker(node, 'up', at)] : [];
}

/** The nodes that have not been heard for too long, as `elapsed(node)` milliseconds say, are down since the last entry. */
export function noteSilence(pulse: Pulse, elapsed: (node: string) => number, lastAt: number): PlatformEntry[] {
  const silent = Object.keys(pulse).filter((node) => !pulse[node]!.down && elapsed(node) > PULSE_LIMIT_MS);
  for (const node of silent) pulse[node]!.down = true;
  return silent.map((node) => broker(node, 'down', lastAt));
}

/** Takes an entry in that an earlier life of the owner appended. */
export function notePlatformEntry(pulse: Pulse, { platform }: PlatformEntry): void {
  const beat = platform.node === undefined ? undefined : pulse[platform.node];
  if (beat && platform.part === 'broker') beat.down = platform.state === 'down';
}

/** How far time may go: to the slowest broker that is up; undefined where none is. */
export function pulseTime(pulse: Pulse): number | undefined {
  const beats = Object.values(pulse).filter((beat) => !beat.down);
  return beats.length > 0 ? Math.min(...beats.map((beat) => beat.at)) : undefined;
}

/**
 * The time of the next tick: the slowest broker's. Where the brokers' clocks are behind what the log has come to already (they were
 * ahead, and were put right), time goes on at half its pace until they meet: deadlines come late then, and none is missed. Heartbeats
 * that were held back and come all at once are behind too, and no more time passes with them than with us: `sinceTickMs`.
 */
export function nextTick(pulse: Pulse, now: number, sinceTickMs = Number.POSITIVE_INFINITY): number | undefined {
  const at = pulseTime(pulse);
  if (at === undefined) return undefined;
  const up = Object.values(pulse).filter((beat) => !beat.down);
  const lived = Math.min(sinceTickMs, ...up.map(({ uptime, tickedUptime = uptime }) => uptime - tickedUptime));
  for (const beat of up) beat.tickedUptime = beat.uptime;
  const behind = now - Math.max(...up.map((beat) => beat.at));
  return behind <= BEHIND_MS ? at : now + Math.floor(lived / 2);
}

/** A step ahead leaves a stretch that nobody lived through: we were blind for all of it. */
function clockStepped(node: string, ms: number, at: number, lastAt: number): PlatformEntry[] {
  const stepped: PlatformEntry = { kind: 'platform', at: Math.max(at, lastAt), platform: { part: 'clock', state: 'step', ms, node } };
  return ms > 0 ? [{ kind: 'platform', at: lastAt, platform: { part: 'clock', state: 'down', node } }, stepped] : [stepped];
}

function broker(node: string, state: 'down' | 'up', at: number): PlatformEntry {
  return { kind: 'platform', at, platform: { part: 'broker', state, node } };
}
