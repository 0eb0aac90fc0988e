/** The events of one endpoint that wait for delivery: one after another for each alert, and no alert waits for another one. */
import { pop, push } from '../../watch/fold/heap.ts';
import type { EventType } from './endpoint.ts';

/** How far the delivery of an event has come. Times are epoch milliseconds. */
export interface Waiting {
  /** Its webhook-id. */
  id: string;
  sequence: number;
  type: EventType;
  /** Whose order it keeps: an alert's id, or a ping's own. */
  subject: string;
  attempts: number;
  /** Whether it was ever tried, by an earlier round of attempts too: its receiver may know it. */
  tried: boolean;
  /** The starts of the first attempt and of the last. */
  firstAt: number | null;
  lastAt: number | null;
  nextAt: number;
}

/** When one comes up. It counts while that is still so. */
interface Turn {
  at: number;
  waiting: Waiting;
}

/** Of those that are due together, the oldest event goes first. */
const sooner = (a: Turn, b: Turn) => a.at < b.at || (a.at === b.at && a.waiting.sequence < b.waiting.sequence);

export class Line {
  readonly #bySubject = new Map<string, Waiting[]>();
  /** Of the first of each subject, but for those under way; what does not count any more goes when it comes up. */
  readonly #turns: Turn[] = [];
  /** The attempts that are being made, by subject. */
  readonly #underWay = new Map<string, Waiting>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** The sequence of the oldest event that is under way; Infinity where none is. */
  get oldestUnderWay(): number {
    return Math.min(...[...this.#underWay.values()].map(({ sequence }) => sequence));
  }

  isUnderWay(waiting: Waiting): boolean {
    return this.#underWay.get(waiting.subject) === waiting;
  }

  /** The newest event of a subject. */
  last(subject: string): Readonly<Waiting> | undefined {
    return this.#bySubject.get(subject)?.at(-1);
  }

  /** Puts it among its subject's events, by sequence, behind one that is under way; false where it is there already. */
  add(waiting: Waiting): boolean {
    const { subject, sequence } = waiting;
    const queue = this.#bySubject.get(subject) ?? [];
    if (queue.some((other) => other.sequence === sequence)) return false;
    const first = this.#underWay.has(subject) ? 1 : 0;
    let place = queue.length;
    while (place > first && queue[place - 1]!.sequence > sequence) place--;
    queue.splice(place, 0, waiting);
    this.#bySubject.set(subject, queue);
    this.#size++;
    if (place === 0) this.#queueUp(waiting);
    return true;
  }

  /** Takes the next that is due under way; undefined where there is none. */
  take(now: number): Waiting | undefined {
    if (this.nextAt() > now) return undefined;
    const { waiting } = this.#turns[0]!;
    pop(this.#turns, sooner);
    this.#underWay.set(waiting.subject, waiting);
    return waiting;
  }

  /** What was under way is done with, or waits for its `nextAt`. */
  settle(waiting: Waiting, done: boolean): void {
    this.#underWay.delete(waiting.subject);
    if (done) this.#remove(waiting);
    else this.#queueUp(waiting);
  }

  /** Drops what waits up to a sequence, but for what is under way; gives what it dropped. */
  dropUpTo(sequence: number): Readonly<Waiting>[] {
    const dropped = [...this].filter((waiting) => waiting.sequence <= sequence && !this.isUnderWay(waiting));
    for (const waiting of dropped) this.#remove(waiting);
    return dropped;
  }

  /** All that waits is tried from the start, beginning now, but for what is under way; gives what it changed. */
  restart(now: number): Readonly<Waiting>[] {
    const restarted = [...this].filter((waiting) => !this.isUnderWay(waiting));
    for (const waiting of restarted) Object.assign(waiting, { attempts: 0, firstAt: null, lastAt: null, nextAt: now });
    for (const [first] of this.#bySubject.values()) this.#queueUp(first!);
    return restarted;
  }

  /** When the next is due; Infinity where none waits. */
  nextAt(): number {
    for (let turn = this.#turns[0]; turn; turn = this.#turns[0]) {
      if (this.#counts(turn)) return turn.at;
      pop(this.#turns, sooner);
    }
    return Number.POSITIVE_INFINITY;
  }

  *[Symbol.iterator](): Iterator<Waiting> {
    for (const queue of this.#bySubject.values()) yield* queue;
  }

  #counts({ at, waiting }: Turn): boolean {
    const isFirst = this.#bySubject.get(waiting.subject)?.[0] === waiting;
    return isFirst && at === waiting.nextAt && !this.#underWay.has(waiting.subject);
  }

  #queueUp(waiting: Waiting): void {
    push(this.#turns, { at: waiting.nextAt, waiting }, sooner);
  }

  #remove(waiting: Waiting): void {
    const queue = this.#bySubject.get(waiting.subject)!;
    queue.splice(queue.indexOf(waiting), 1);
    this.#size--;
    if (queue.length === 0) this.#bySubject.delete(waiting.subject);
    else this.#queueUp(queue[0]!);
  }
}
