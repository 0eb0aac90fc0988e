/** The story: every merchant and terminal in one order of time, told step by step. A story of a million terminals is told as it goes. */
import type { Action, Incident } from './actions.ts';
import { swap } from './fleet/changes.ts';
import { PLACES_A_MERCHANT, planMerchant, planTown, type Town } from './fleet/plan.ts';
import { merchantRow, rowOf } from './fleet/rows.ts';
import { type Due, moved, push } from './heap.ts';
import { hasRoom } from './incidents/quota.ts';
import { begin, stepLife, type Telling } from './life/life.ts';
import { anyOf, draw, OF, streamOf } from './random.ts';
import { INCIDENT, SWAP, TOWN } from './ranges.ts';
import { type Staged, stageMerchantDay, stageWideDay } from './staging.ts';
import { type Life, later, type MerchantState, newLife, newMerchant } from './state.ts';
import { DAY_MS, type Story } from './story.ts';

const MINUTE_MS = 60_000;
/** Orders of what is due at one moment: the whole, then merchants, then terminals. */
const FIRST_MERCHANT = 1;
const FIRST_TERMINAL = 10_000_000;
/** After our blindness, until everybody has had the chance to be heard: two of the longest intervals. */
const SEEN_AGAIN_MS = 30 * MINUTE_MS;

interface Whole extends Due {
  kind: 'whole';
  dayAt: number;
  day: number;
}

type Actor = Life | MerchantState | Whole;

export class World implements Staged {
  readonly story: Story;
  readonly lives: Life[] = [];
  readonly merchants: MerchantState[] = [];
  /** Incidents in 1 000 terminal-days. */
  readonly rate: number;
  readonly telling: Telling;
  /** Incidents that began and did not end. */
  readonly open = new Set<Incident>();
  #heap: Actor[] = [];
  #out: Action[] = [];
  #whole: Whole = { kind: 'whole', nextAt: 0, key: 0, slot: 0, order: 0, dayAt: 0, day: 0 };
  #tasks: { at: number; run: (at: number) => void }[] = [];

  constructor(story: Story) {
    this.story = story;
    this.rate = story.rate ?? draw(streamOf(story.seed, OF.fleet), INCIDENT.dayPer1000);
    this.telling = { speed: story.speed, emit: (action) => this.#tell(action) };
    this.#whole.dayAt = this.#whole.nextAt = story.startAt;
    push(this.#heap, this.#whole);
  }

  /** Draws the fleet, merchant by merchant, and gives the rows of the registry on the way. Before the first step. */
  *settle(): Generator<Action> {
    const { seed, terminals, startAt } = this.story;
    let town: Town | undefined;
    for (let index = 0; this.lives.length < terminals; index++) {
      if (!town || index % TOWN.merchants === 0) town = planTown(seed, Math.floor(index / TOWN.merchants));
      const plan = planMerchant(seed, index, town, terminals - this.lives.length);
      const merchant = this.#addMerchant(index, plan);
      yield { at: startAt, kind: 'registry', row: merchantRow(merchant) };
      for (const life of merchant.lives) yield { at: startAt, kind: 'registry', row: rowOf(life, 'active') };
    }
  }

  #addMerchant(index: number, plan: MerchantState['plan']): MerchantState {
    const { seed, startAt, speed } = this.story;
    const merchant = newMerchant(plan, FIRST_MERCHANT + index, streamOf(seed, OF.merchant, index, 1));
    merchant.dayAt = this.story.scenario.merchant.length > 0 ? startAt : Number.POSITIVE_INFINITY;
    merchant.swapAt = startAt + draw(merchant.stream, [0, SWAP.everyDays[1]]) * DAY_MS + draw(merchant.stream, [0, DAY_MS]);
    merchant.nextAt = Math.min(merchant.dayAt, merchant.swapAt);
    plan.terminals.forEach((terminal, place) => {
      const order = FIRST_TERMINAL + index * PLACES_A_MERCHANT + place;
      const life = newLife(terminal, merchant, order, streamOf(seed, OF.terminal, index, place, 1));
      begin(life, startAt, speed);
      merchant.lives.push(life);
      this.lives.push(life);
      push(this.#heap, life);
    });
    this.merchants.push(merchant);
    push(this.#heap, merchant);
    return merchant;
  }

  /** When the next thing happens, in the story's time. */
  get nextAt(): number {
    return this.#heap[0]!.nextAt;
  }

  /** Lets the next thing happen. Returns what it is, in order; the array is used again. */
  step(): readonly Action[] {
    this.#out.length = 0;
    const actor = this.#heap[0]!;
    if (actor.kind === 'terminal') stepLife(actor, this.telling);
    else if (actor.kind === 'merchant') this.#stepMerchant(actor);
    else this.#stepWhole(actor);
    moved(this.#heap, actor);
    return this.#out;
  }

  /** Stages something for the whole fleet. */
  at(time: number, run: (at: number) => void): void {
    this.#tasks.push({ at: time, run });
    this.#tasks.sort((a, b) => a.at - b.at);
    this.#whole.nextAt = Math.min(this.#whole.nextAt, time);
    if (this.#heap[0] !== this.#whole) moved(this.#heap, this.#whole);
  }

  /** Does something to a terminal from outside the story. Returns what comes of it, as `step` does. */
  touch(life: Life, change: () => void): readonly Action[] {
    this.#out.length = 0;
    change();
    moved<Actor>(this.#heap, life);
    return this.#out;
  }

  /** What fell into our blindness is told later, or never. */
  blinded(from: number, until: number): void {
    const seenAt = until + SEEN_AGAIN_MS;
    for (const incident of this.open) {
      if (!incident.firedBetween || incident.firedBetween[1] < from || incident.type === 'platform.blind') continue;
      incident.firedBetween = incident.endsAt !== null && incident.endsAt < seenAt ? null : [incident.firedBetween[0], seenAt];
    }
  }

  #tell(action: Action): void {
    if (action.kind === 'began') this.open.add(action.incident);
    if (action.kind === 'ended') this.open.delete(action.incident);
    this.#out.push(action);
  }

  #stepMerchant(merchant: MerchantState): void {
    const at = merchant.nextAt;
    const [task] = merchant.tasks;
    if (task && task.at <= at) {
      merchant.tasks.shift();
      task.run(at);
    } else if (merchant.swapAt <= at) this.#daySwap(merchant, at);
    else {
      stageMerchantDay(this, merchant, at);
      merchant.dayAt += DAY_MS;
      merchant.day++;
    }
    merchant.nextAt = Math.min(merchant.tasks[0]?.at ?? Number.POSITIVE_INFINITY, merchant.swapAt, merchant.dayAt);
    for (const life of merchant.lives) moved<Actor>(this.#heap, life);
  }

  /** Daily life replaces a terminal now and then, and unbinds the old one within a day. */
  #daySwap(merchant: MerchantState, at: number): void {
    const { stream } = merchant;
    const life = anyOf(
      stream,
      merchant.lives.filter((one) => one.deeds.length === 0),
    );
    merchant.swapAt = at + draw(stream, SWAP.everyDays) * DAY_MS;
    if (!life || merchant.busyUntil > at || !hasRoom(merchant)) return;
    const unbindAt = at + draw(stream, SWAP.unbindMinutes) * MINUTE_MS;
    later(merchant, { at: unbindAt, run: swap(life, at, this.telling) });
    merchant.busyUntil = unbindAt + MINUTE_MS;
  }

  #stepWhole(whole: Whole): void {
    const at = whole.nextAt;
    const [task] = this.#tasks;
    if (task && task.at <= at) {
      this.#tasks.shift();
      task.run(at);
      for (const life of this.lives) moved<Actor>(this.#heap, life);
    } else {
      stageWideDay(this, at, whole.day);
      whole.dayAt += DAY_MS;
      whole.day++;
    }
    whole.nextAt = Math.min(this.#tasks[0]?.at ?? Number.POSITIVE_INFINITY, whole.dayAt);
  }
}
