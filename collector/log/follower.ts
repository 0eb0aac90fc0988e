/**
 * Reads both logs as the one sequence that the owner made of them: brokers' records up to where an owner's entry stands, then that
 * entry. It never reads further into the brokers' log than the owner's newest entry says, for the owner may still put something in
 * between; ticks come each second, so that is how far behind it is.
 */
import type { LogReader, Offset } from '../../backbone/log.ts';
import { Cursor } from './cursor.ts';
import { type BrokerEntry, decodeBrokerRecord, decodeOwnerRecord, type OwnerRecord } from './entries.ts';
import { isBefore, type Position } from './position.ts';

export interface Item {
  entry: BrokerEntry | OwnerRecord['entry'];
  /** Where the record stands in its own log. */
  offset: Offset;
}

export class Follower {
  readonly brokers: Cursor;
  readonly owner: Cursor;
  #upcoming: OwnerRecord | undefined;

  constructor(brokersLog: LogReader, ownerLog: LogReader, from: Position) {
    this.brokers = new Cursor(brokersLog, from.brokers);
    this.owner = new Cursor(ownerLog, from.owner);
  }

  get position(): Position {
    return { brokers: this.brokers.next, owner: this.owner.next };
  }

  /** The next entry; undefined where the sequence ends so far. */
  async next(): Promise<Item | undefined> {
    if (!this.#upcoming) {
      const bytes = await this.owner.peek();
      if (!bytes) return undefined;
      this.#upcoming = decodeOwnerRecord(bytes);
    }
    const item = await this.#brokersBefore(this.#upcoming.before);
    return item ?? this.#owners(this.#upcoming);
  }

  /**
   * The next brokers' record before `until`. The owner has read that far, so it was durable, and where the log ends first there is none
   * left.
   */
  async #brokersBefore(until: Offset): Promise<Item | undefined> {
    if (!isBefore(this.brokers.next, until)) return undefined;
    const bytes = await this.brokers.peek(until.index > 0 ? until.batch : until.batch - 1);
    const offset = this.brokers.next;
    if (!bytes || !isBefore(offset, until)) return undefined;
    this.brokers.advance();
    return { entry: decodeBrokerRecord(bytes), offset };
  }

  #owners({ entry }: OwnerRecord): Item {
    const offset = this.owner.next;
    this.owner.advance();
    this.#upcoming = undefined;
    return { entry, offset };
  }
}
