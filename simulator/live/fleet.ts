/** The story over real MQTT: played by the clock, one second of it for `speed` of its own. */
import type { Action, Incident, Row } from '../actions.ts';
import { setLimit, swap } from '../fleet/changes.ts';
import { fallSilent } from '../life/life.ts';
import type { Life } from '../state.ts';
import type { Story } from '../story.ts';
import { World } from '../world.ts';
import { type Air, type Counts, LiveTerminal } from './terminal.ts';
import { turns } from './turns.ts';

/** The story is looked at so often, milliseconds. */
const BEAT_MS = 20;
const LOG_INS_AT_ONCE = 32;
/** Different ones that are said. */
const MOST_PROBLEMS = 20;
/** At the end: as long as a PUBACK is waited for. */
const LAST_ACKS_WITHIN_MS = 10_000;

export interface LiveOptions extends Pick<Air, 'host' | 'port' | 'token' | 'now' | 'random'> {
  story: Story;
  /** Takes rows into the registry: all of them or none. The first call has the whole fleet's. */
  register: (rows: readonly Row[]) => Promise<void>;
  /** An incident is over: what is true of it, in the clock's time. */
  onTruth?: (incident: Incident) => void;
  say: (line: string) => void;
}

export interface LiveStats extends Counts {
  unacknowledged: number;
  incidents: number;
}

/** A merchant of the fleet, as the registry has it. */
export interface LiveMerchant {
  acquirer: string;
  merchant: string;
  limit: number;
  /** Slots in use. */
  held: number;
  /** Serial numbers, as they are now. */
  serials: string[];
}

export interface LiveFleet {
  stats(): LiveStats;
  merchants(): LiveMerchant[];
  /** The acquirer gives a merchant another terminal limit. */
  setLimit(merchant: Pick<LiveMerchant, 'acquirer' | 'merchant'>, limit: number): void;
  /** A new terminal takes over from one, which holds its slot until it is unbound: by what this returns. */
  swap(sn: string): () => void;
  /** Breaks a terminal's connection until `comeBack`; the broker sees a `reset` at once. False where it is not connected. */
  fallSilent(sn: string, how: 'reset' | 'expiry'): boolean;
  comeBack(sn: string): void;
  /** Ends it: goodbyes, and the last PUBACKs. */
  stop(): Promise<LiveStats>;
}

/** Errors: rejects where the fleet cannot be registered. */
export async function startFleet({ story, register, onTruth, say, ...given }: LiveOptions): Promise<LiveFleet> {
  const count: Counts = { connected: 0, sent: 0, acknowledged: 0, refused: 0, reconnects: 0, givenUp: 0 };
  const air: Air = { ...given, speed: story.speed, count, inTurn: turns(LOG_INS_AT_ONCE), trouble: once(say) };
  const world = new World(story);
  const rows = [...world.settle()].flatMap((action) => (action.kind === 'registry' ? [action.row] : []));
  await register(rows);
  const terminals = new Map<Life, LiveTerminal>();
  const startedAt = given.now();
  const wall = (storyAt: number) => Math.round(startedAt + (storyAt - story.startAt) / story.speed);
  const storyNow = () => story.startAt + (given.now() - startedAt) * story.speed;
  let registering = Promise.resolve();

  const terminalOf = (life: Life) => {
    const known = terminals.get(life) ?? new LiveTerminal(life, air);
    terminals.set(life, known);
    return known;
  };
  const change = (changed: Row[]) => {
    if (changed.length === 0) return;
    registering = registering
      .then(() => register(changed))
      .catch((error: Error) => say(`the registry did not take a change: ${error.message}`));
  };
  const truthOf = (incident: Incident): Incident => ({
    ...incident,
    startsAt: wall(incident.startsAt),
    endsAt: incident.endsAt === null ? null : wall(incident.endsAt),
    firedBetween: incident.firedBetween && [wall(incident.firedBetween[0]), wall(incident.firedBetween[1])],
  });
  const play = (actions: readonly Action[]) => {
    const changed: Row[] = [];
    for (const action of actions) {
      if (action.kind === 'registry') changed.push(action.row);
      else if (action.kind === 'ended') onTruth?.(truthOf(action.incident));
      else if ('life' in action) playTerminal(terminalOf(action.life), action, wall);
    }
    change(changed);
  };

  const beat = setInterval(() => {
    const until = storyNow();
    while (world.nextAt <= until) play(world.step());
  }, BEAT_MS);

  const lifeOf = (sn: string) => world.lives.find((life) => life.sn === sn);
  const touch = (life: Life, deed: () => void) => play(world.touch(life, deed));
  const stats = () => {
    let unacknowledged = 0;
    for (const terminal of terminals.values()) unacknowledged += terminal.unacknowledged;
    return { ...count, unacknowledged, incidents: world.open.size };
  };
  return {
    stats,
    merchants: () =>
      world.merchants.map(({ plan, limit, held, lives }) => ({
        ...{ acquirer: plan.acquirer, merchant: plan.id, limit, held },
        serials: lives.map(({ sn }) => sn),
      })),
    setLimit: ({ acquirer, merchant: id }, limit) => {
      const merchant = world.merchants.find(({ plan }) => plan.acquirer === acquirer && plan.id === id)!;
      touch(merchant.lives[0]!, () => setLimit(merchant, limit, storyNow(), world.telling));
    },
    swap: (sn) => {
      const life = lifeOf(sn)!;
      let unbind = (_: number) => {};
      touch(life, () => {
        unbind = swap(life, storyNow(), world.telling);
      });
      return () => touch(life, () => unbind(storyNow()));
    },
    fallSilent: (sn, drop) => {
      const life = lifeOf(sn);
      if (life?.state !== 'on') return false;
      touch(life, () => void fallSilent(life, storyNow(), { drop, backAt: Number.POSITIVE_INFINITY, alive: true }, world.telling));
      return true;
    },
    comeBack: (sn) => {
      const life = lifeOf(sn);
      if (life?.state !== 'away') return;
      const now = storyNow();
      touch(life, () => {
        life.backAt = now;
        life.nextAt = now;
      });
    },
    stop: async () => {
      clearInterval(beat);
      await registering;
      const ends = [...terminals.values()].map((terminal) => terminal.goodbye(given.now()));
      await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, LAST_ACKS_WITHIN_MS).unref())]);
      for (const terminal of terminals.values()) terminal.drop('reset');
      for (const incident of world.open) onTruth?.(truthOf({ ...incident, endsAt: null }));
      return stats();
    },
  };
}

/** Says each problem once: thousands of terminals have the same. */
function once(say: (line: string) => void): (problem: string) => void {
  const said = new Set<string>();
  return (problem) => {
    if (said.has(problem) || said.size >= MOST_PROBLEMS) return;
    said.add(problem);
    say(`a terminal cannot connect, and tries again: ${problem}`);
  };
}

function playTerminal(terminal: LiveTerminal, action: Extract<Action, { life: Life }>, wall: (storyAt: number) => number): void {
  switch (action.kind) {
    case 'connect':
      return terminal.connect();
    case 'report': {
      const samples = action.samples.map((sample) => ({ ...sample, at: wall(sample.at) }));
      return terminal.report(samples, action.session !== action.life.session);
    }
    case 'event':
      return terminal.event(action.type, action.data, wall(action.at));
    case 'goodbye':
      return void terminal.goodbye(wall(action.at));
    case 'drop':
      return terminal.drop(action.drop === 'reset' ? 'reset' : 'silent');
    default: // what the broker does by itself
      return;
  }
}
