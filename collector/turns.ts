import { setImmediate as nextTurn } from 'node:timers/promises';

/** Work, milliseconds or records, after which others on the event loop (the broker's sockets) have their turn. */
const WORK_MS = 2;
const WORK_RECORDS = 200;

/** Says when a loop over records has held the event loop long enough: awaiting what is in memory already lets nobody run. */
export class Turns {
  readonly #monotonic: () => number;
  #since: number;
  #records = 0;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
    this.#since = monotonic();
  }

  /** To be asked once a record. */
  isOver(): boolean {
    return ++this.#records >= WORK_RECORDS || this.#monotonic() - this.#since >= WORK_MS;
  }

  async next(): Promise<void> {
    await nextTurn();
    this.#records = 0;
    this.#since = this.#monotonic();
  }
}
