/** What terminals and merchants are in the middle of. */
import type { Sample } from '../protocol/schemas/sample.ts';
import type { MerchantPlan, TerminalPlan } from './fleet/plan.ts';
import type { Due } from './heap.ts';
import { draw, type Stream } from './random.ts';
import { LIFE } from './ranges.ts';

/** Something staged: done when its time has come and the terminal is connected. */
export interface Deed {
  at: number;
  act: (life: Life, at: number) => void;
}

/** Changes what samples say between two times. */
export interface Overlay {
  from: number;
  to: number;
  change: (sample: Sample, at: number, life: Life) => void;
}

/**
 * `off`: switched off. `connecting`: logged in, not yet settled. `away`: not connected. `hung`: connected, and silent. `gone`: taken down
 * for good. A terminal that is away and `alive` goes on sampling.
 */
export interface Life extends Due {
  kind: 'terminal';
  plan: TerminalPlan;
  merchant: MerchantState;
  stream: Stream;
  /** These change with swaps and updates. */
  sn: string;
  app: string;
  /** The merchant that its birth names, where that is not its own. */
  claims: string | null;
  state: 'off' | 'connecting' | 'on' | 'away' | 'hung' | 'gone';
  alive: boolean;
  session: number;
  seq: number;
  /** Samples taken while away: they belong to the session that ended. */
  kept: Sample[];
  keptSession: number;
  keptSeq: number;
  reportAt: number;
  breakAt: number;
  closeAt: number;
  backAt: number;
  willAt: number;
  /** When it was last heard. */
  lastAt: number;
  sampledAt: number;
  sinceSlow: number;
  walk: number;
  reconnects: number;
  simFrom: number;
  simUntil: number;
  deeds: Deed[];
  overlays: Overlay[];
}

const HOUR_MS = 3_600_000;
/** Shared by all that have nothing staged: a fleet is a million of these. */
const NONE: never[] = [];

export function newLife(plan: TerminalPlan, merchant: MerchantState, order: number, stream: Stream): Life {
  return {
    kind: 'terminal',
    nextAt: 0,
    key: 0,
    slot: 0,
    order,
    plan,
    merchant,
    stream,
    sn: plan.sn,
    app: plan.app,
    claims: null,
    state: 'off',
    alive: true,
    session: 0,
    seq: 0,
    kept: NONE,
    keptSession: 0,
    keptSeq: 0,
    reportAt: 0,
    breakAt: 0,
    closeAt: 0,
    backAt: Number.POSITIVE_INFINITY,
    willAt: Number.POSITIVE_INFINITY,
    lastAt: 0,
    sampledAt: 0,
    sinceSlow: 0,
    walk: 0,
    reconnects: 0,
    simFrom: 0,
    simUntil: 0,
    deeds: NONE,
    overlays: NONE,
  };
}

export function nextBreak(life: Life, at: number): number {
  return at + draw(life.stream, LIFE.breakHours) * HOUR_MS + draw(life.stream, [0, HOUR_MS]);
}

/** Stages a deed, among others in order of time. */
export function stage(life: Life, deed: Deed): void {
  life.deeds = [...life.deeds, deed].sort((a, b) => a.at - b.at);
  if (life.state === 'on' || life.state === 'hung') life.nextAt = Math.min(life.nextAt, deed.at);
}

export function overlay(life: Life, change: Overlay): void {
  life.overlays = [...life.overlays.filter(({ to }) => to > life.lastAt), change];
}

export interface Task {
  at: number;
  run: (at: number) => void;
}

export interface MerchantState extends Due {
  kind: 'merchant';
  plan: MerchantPlan;
  stream: Stream;
  limit: number;
  /** Slots that are held, as the registry counts them: what its terminals report as bound. */
  held: number;
  lives: Life[];
  /** Of what is staged, in order of time. */
  tasks: Task[];
  /** Until then an incident is under way, and no other begins. */
  busyUntil: number;
  swapAt: number;
  dayAt: number;
  day: number;
  /** New serial numbers that it was given, so that each is another. */
  issued: number;
}

export function later(merchant: MerchantState, task: Task): void {
  let i = merchant.tasks.length;
  while (i > 0 && merchant.tasks[i - 1]!.at > task.at) i--;
  merchant.tasks.splice(i, 0, task);
  merchant.nextAt = Math.min(merchant.nextAt, task.at);
}

export function newMerchant(plan: MerchantPlan, order: number, stream: Stream): MerchantState {
  const never = Number.POSITIVE_INFINITY;
  return {
    kind: 'merchant',
    nextAt: never,
    key: never,
    slot: 0,
    order,
    plan,
    stream,
    limit: plan.limit,
    held: plan.terminals.length,
    lives: [],
    tasks: [],
    busyUntil: Number.NEGATIVE_INFINITY,
    swapAt: never,
    dayAt: never,
    day: 0,
    issued: 0,
  };
}
