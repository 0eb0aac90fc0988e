import type { Lifecycle } from '../../protocol/registry.ts';
import { type Birth, DEFAULT_INTERVAL_SECONDS, DEFAULT_KEEPALIVE_SECONDS } from '../../protocol/schemas/messages.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import { type TerminalId, terminalKey } from '../../protocol/topics.ts';
import type { Table } from '../fold/table.ts';
import type { Absence } from './absence.ts';
import type { Availability } from './availability.ts';
import type { Coverage } from './coverage.ts';
import type { DatumPoint } from './datums.ts';
import type { HeardWeeks } from './learned.ts';
import type { Whereabouts } from './places.ts';
import type { Sessions } from './sessions.ts';

/** Where the registry says a terminal belongs. Null in its place: unregistered, or unbound. */
export interface Binding {
  merchant: string;
  site: string | null;
  tid: string | null;
  model: string | null;
  /** Where it is registered, and whether it stays there; null where the registry does not say. */
  place: DatumPoint | null;
  use: 'fixed' | 'mobile' | null;
  lifecycle: Lifecycle;
}

export type PresenceState = 'online' | 'suspect' | 'offline' | 'goodbye' | 'unknown';

/** What is known of a terminal's presence. All times are epoch milliseconds, null where it did not happen. */
export interface Presence {
  state: PresenceState;
  since: number;
  lifeAt: number | null;
  /** The goodbye that has been the last word so far. */
  goodbyeAt: number | null;
  /** The Will of the current session, with no life since. */
  lostAt: number | null;
  /** What it counts as among those that it shares something with. */
  counted: 'there' | 'holding' | 'gone' | 'away';
  /** Since when it counts as gone (overdue, or its Will's hold-down over), and until when as just gone. */
  gone: { at: number; until: number } | null;
  /** Whether it was there when last judged, neither lost nor offline; null until it was heard. */
  wasThere: boolean | null;
  /** When it last came or went, the newest last; null where it never did. */
  changes: readonly number[] | null;
  /** When it was found offline, and by what. */
  offline: { at: number; reason: 'silent' | 'lost' } | null;
  /** When to look again. */
  wakeAt: number | null;
  /** Whether its deadline passed while we were blind: it is looked at again as soon as we can see. */
  isHeld: boolean;
  /** When its state is next written down though it has not changed. */
  rowAt: number | null;
}

/** One terminal: everything that the fold keeps of it. */
export interface Terminal extends TerminalId {
  /** `acquirer/sn`, under which everything about it is found: always this one text, as each made anew takes room of its own. */
  key: string;
  binding: Binding | null;
  /** What its last birth said; null where there was none. */
  birth: Birth | null;
  /** The broker that it was last heard through. */
  node: string | null;
  sessions: Sessions;
  /** When it was heard, kept while it declares no hours of its own. */
  heard: HeardWeeks;
  last: Sample | null;
  /** The network that it was last registered in; null before it told, and on Wi-Fi. */
  radio: Radio | null;
  /** When it was last asked to send a birth. */
  askedAt: number | null;
  /** How often, since its last birth. */
  asks: number;
  /** When it became active by talking though the registry said inactive. */
  activatedAt: number | null;
  presence: Presence;
  /** How much of its expected time it was connected; null until it was heard. */
  availability: Availability | null;
  signs: Signs | null;
  outage: OutageMember | null;
  /** Null while it has nothing to tell of a silence. */
  absence: Absence | null;
  /** Null where it never told of its radio. */
  coverage: Coverage | null;
  /** What its fixes say against its registered place; null before there was one of either. */
  whereabouts: Whereabouts | null;
}

/** What it told of itself that could explain a silence: when each began, epoch milliseconds at the broker. A sign that is over is absent. */
export interface Signs {
  batteryLow?: number;
  mainsLost?: number;
  updating?: number;
  shutdown?: number;
  planUsedUp?: number;
}

/** A cell is named by its operator: two may use the same id. */
export interface Radio {
  mcc: string;
  mnc: string;
  lac: string | undefined;
  cell: string | undefined;
}

/** Takes in what a sample says of the network; one that says nothing leaves it as it was. */
export function noteRadio(t: Terminal, signal: Sample['signal']): void {
  if (signal?.rat === undefined || signal.rat === 'none') return;
  if (signal.rat === 'wifi') {
    t.radio = null;
    return;
  }
  const { mcc, mnc, lac, cell } = signal;
  if (mcc === undefined || mnc === undefined) return;
  const known = t.radio;
  if (known?.cell === cell && known?.lac === lac && known?.mnc === mnc && known?.mcc === mcc) return;
  t.radio = { mcc, mnc, lac, cell };
}

/** A terminal's part in an outage: which one (a group's key, and its start), and whether it is back. */
export interface OutageMember {
  key: string;
  startsAt: number;
  back: boolean;
  /** When the outage ended without it, and the cause that it was given then. */
  endedAt: number | null;
  endedAs: string | null;
}

/** A terminal's row, to be changed by the caller at once; a new one where there is none. */
export function changeTerminal(terminals: Table<Terminal>, id: TerminalId, at: number): Terminal {
  const key = terminalKey(id);
  return terminals.change(key) ?? terminals.set(key, newTerminal(key, id, at));
}

function newTerminal(key: string, { acquirer, sn }: TerminalId, at: number): Terminal {
  return {
    key,
    acquirer,
    sn,
    binding: null,
    birth: null,
    node: null,
    sessions: [],
    heard: '',
    last: null,
    radio: null,
    askedAt: null,
    asks: 0,
    activatedAt: null,
    presence: {
      state: 'unknown',
      since: at,
      lifeAt: null,
      goodbyeAt: null,
      lostAt: null,
      counted: 'away',
      gone: null,
      wasThere: null,
      changes: null,
      offline: null,
      wakeAt: null,
      isHeld: false,
      rowAt: null,
    },
    availability: null,
    signs: null,
    outage: null,
    absence: null,
    coverage: null,
    whereabouts: null,
  };
}

export function intervalMs({ birth }: Readonly<Terminal>): number {
  return (birth?.interval ?? DEFAULT_INTERVAL_SECONDS) * 1000;
}

export function keepaliveMs({ birth }: Readonly<Terminal>): number {
  return (birth?.keepalive ?? DEFAULT_KEEPALIVE_SECONDS) * 1000;
}

/** Whether it has a connection, as far as is known. */
export function isConnected({ presence: { lifeAt, goodbyeAt, lostAt, offline } }: Readonly<Terminal>): boolean {
  return lifeAt !== null && goodbyeAt === null && lostAt === null && offline === null;
}

/** Where somebody says so and nobody says otherwise: one of which nothing is said may be carried about. */
export function isFixed({ binding, birth }: Readonly<Terminal>): boolean {
  const uses = [binding?.use, birth?.use];
  return uses.includes('fixed') && !uses.includes('mobile');
}

/** What a lifecycle takes of its merchant's limit. */
export function slotOf(binding: Binding | null): 'held' | 'pending' | null {
  switch (binding?.lifecycle) {
    case 'active':
    case 'inactive':
    case 'swapped_out':
      return 'held';
    case 'pending':
      return 'pending';
    default:
      return null;
  }
}

/** Only these raise alerts of their own. */
export function mayAlert(binding: Binding | null): boolean {
  return binding?.lifecycle === 'active' || binding?.lifecycle === 'pending';
}

/** Where a terminal belongs: what the registry says, and what it says of itself where the registry says nothing. */
export function placeOf({ binding, birth }: Readonly<Terminal>): { merchant: string | null; site: string | null } {
  if (binding) return { merchant: binding.merchant, site: binding.site ?? birth?.site ?? null };
  return { merchant: birth?.merchant ?? null, site: birth?.site ?? null };
}
