/** What is played to each side: loads and faults, by groups. */

/** `both`: broker and collector are one process. */
export type Role = 'broker' | 'collector' | 'both' | 'store';

/** What the peer's configuration leaves open, under the names that its templates have. */
export interface PeerSettings {
  /** Mosquitto's persistence: lines of its configuration. */
  AUTOSAVE: string;
  INFLIGHT: number;
  QUEUED: number;
  UNDELIVERED: number;
  BATCH: number;
  BUFFER: number;
}

/** As well as it could be tuned for this load. */
const TUNED: PeerSettings = {
  AUTOSAVE: 'autosave_interval 1800',
  INFLIGHT: 20_000,
  QUEUED: 1_000_000,
  UNDELIVERED: 20_000,
  BATCH: 5_000,
  BUFFER: 200_000,
};
const SAVES_EACH_SECOND = { AUTOSAVE: 'autosave_interval 1' };
/** As it comes. */
const DEFAULTS = { INFLIGHT: 20, QUEUED: 1_000, UNDELIVERED: 1_000, BATCH: 1_000, BUFFER: 10_000 };

export interface Fault {
  role: Exclude<Role, 'both'>;
  /** kill -9 and SIGTERM: started again after `downSeconds`; SIGSTOP: goes on after them. */
  kind: 'kill' | 'term' | 'stop';
  atSeconds: number;
  downSeconds: number;
}

export interface Scenario {
  name: string;
  window: number;
  /** Reports a second of all terminals; 0: flat out. */
  rate: number;
  seconds: number;
  faults: readonly Fault[];
  /** Restarted where nothing arrives any more, to tell what is stuck from what is lost. */
  rescue: boolean;
  peer: PeerSettings;
}

export const GROUPS = ['flat', 'paced', 'steps', 'fault', 'crash', 'backlog', 'both', 'limits'] as const;
export type Group = (typeof GROUPS)[number];

const load = (name: string, rate: number, window: number, seconds = 30): Scenario => ({
  ...{ name, rate, window, seconds },
  ...{ faults: [], rescue: false, peer: TUNED },
});
const faulty = (name: string, seconds: number, faults: readonly Fault[], peer: Partial<PeerSettings> = {}): Scenario => ({
  ...load(name, 4_000, 10, seconds),
  ...{ faults, rescue: faults.some(({ role }) => role === 'broker'), peer: { ...TUNED, ...peer } },
});
const kill = (role: Fault['role'], atSeconds: number, downSeconds: number): Fault => ({ role, kind: 'kill', atSeconds, downSeconds });
const storeAway = (kind: 'term' | 'stop', downSeconds: number): Fault => ({ role: 'store', kind, atSeconds: 5, downSeconds });

const SCENARIOS: Record<Group, readonly Scenario[]> = {
  flat: [1, 10].map((window) => load(`flat out, window ${window}`, 0, window)),
  paced: [5_000, 10_000].flatMap((rate) => [1, 10].map((window) => load(`${rate}/s, window ${window}`, rate, window))),
  steps: [12_500, 15_000, 17_500, 20_000].map((rate) => load(`${rate}/s`, rate, 10)),
  fault: [
    faulty('collector killed', 20, [kill('collector', 7, 3)]),
    faulty('broker killed', 20, [kill('broker', 8, 2)]),
    faulty('store away for 20 s', 30, [storeAway('term', 20)]),
    faulty('store hangs for 20 s', 30, [storeAway('stop', 20)]),
  ],
  // Mosquitto's three ways to keep its queue.
  crash: [
    faulty('broker killed, peer saves each second', 20, [kill('broker', 8, 2)], SAVES_EACH_SECOND),
    faulty('broker killed, peer saves each change', 20, [kill('broker', 8, 2)], {
      AUTOSAVE: 'autosave_interval 1\nautosave_on_changes true',
    }),
    faulty('broker killed, peer saves 1000 changes', 20, [kill('broker', 8, 2)], {
      AUTOSAVE: 'autosave_interval 1000\nautosave_on_changes true',
    }),
  ],
  // The broker dies while it holds what the store did not take.
  backlog: [
    faulty('store away, then broker killed', 25, [storeAway('term', 15), kill('broker', 15, 2)]),
    faulty('store away, then broker killed, peer saves each second', 25, [storeAway('term', 15), kill('broker', 15, 2)], SAVES_EACH_SECOND),
  ],
  both: [
    faulty('broker and collector killed', 20, [kill('collector', 8, 3), kill('broker', 8, 2)]),
    faulty('broker and collector killed, peer saves each second', 20, [kill('collector', 8, 3), kill('broker', 8, 2)], SAVES_EACH_SECOND),
  ],
  limits: [faulty("store away for 20 s, peer's defaults", 30, [storeAway('term', 20)], DEFAULTS)],
};

/** Errors: RangeError on a group that there is not. */
export function scenariosOf(groups: readonly string[]): readonly Scenario[] {
  return groups.flatMap((group) => {
    const scenarios = SCENARIOS[group as Group];
    if (!scenarios) throw new RangeError(`there is no group ${group}: ${GROUPS.join(', ')}`);
    return scenarios;
  });
}
