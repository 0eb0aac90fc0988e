/** What goes back to a client, and when no more is read from it: until the log or the client itself has caught up. */
import type { Duplex } from 'node:stream';
import type { Acted } from '../limits/acted.ts';
import type { PacketRates, Share } from '../limits/packet-rates.ts';
import { pubacks } from './acks.ts';
import type { Lines } from './lines.ts';
import type { Slot } from './wheel.ts';

/** What the flows of all connections share. */
export interface Flows {
  /** What one connection may have waiting for the log before it is read no further. */
  maxUnackedBytes: number;
  /** Whether so much of an acquirer's waits for the log that who can wait should. */
  crowded(acquirer: string): boolean;
  rates: PacketRates;
  acted: Acted;
  /** Has `flush` called when the log has told all of a batch. */
  flushLater(flow: Flow): void;
  /** Those that wait until their acquirer may send more: `resume` is called in turn. */
  lines: Lines<Flow>;
  /** Has `resume` called after so many milliseconds. */
  resumeLater(flow: Flow, ms: number): Slot<Flow>;
  /** Those that do not read what they are sent, and the tick at which that began. */
  blocked: Map<Flow, number>;
  tick(): number;
}

/** Why a connection is read no further. */
type Wait = 'unacknowledged_bytes' | 'terminal_packets' | 'acquirer_packets' | 'pending_bytes' | 'its_own_reading';

export class Flow {
  readonly #socket: Duplex;
  readonly #flows: Flows;
  readonly #readOn: () => void;
  /** Message ids whose PUBACKs are due, the oldest first; the first `#durable` of them are in the log. */
  readonly #ids: number[] = [];
  #durable = 0;
  #unackedBytes = 0;
  #isPaused = false;
  /** Of a terminal that has logged in. */
  #share: Share | undefined;
  #slot: Slot<Flow> | undefined;

  /** `readOn`: called where more of the socket is welcome again. */
  constructor(socket: Duplex, flows: Flows, readOn: () => void) {
    this.#socket = socket;
    this.#flows = flows;
    this.#readOn = readOn;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** A terminal has logged in: from now on its packets count. */
  admit(terminal: { user: string; acquirer: string }): void {
    this.#share = this.#flows.rates.open(terminal);
  }

  spend(packets: number): void {
    if (this.#share && packets > 0) this.#flows.rates.spend(this.#share, packets);
  }

  /** Writes at once. */
  write(bytes: Buffer): void {
    if (!this.#socket.writable || this.#socket.write(bytes) || this.#flows.blocked.has(this)) return;
    this.#flows.blocked.set(this, this.#flows.tick());
    this.#socket.once('drain', () => {
      this.#flows.blocked.delete(this);
      this.resume();
    });
  }

  /** A message of so many bytes was appended; `settled` follows. */
  taken(id: number, bytes: number): void {
    this.#ids.push(id);
    this.#unackedBytes += bytes;
  }

  /** The oldest of those that wait is durable, or could not be made so. */
  settled(bytes: number, error: Error | undefined): void {
    this.#unackedBytes -= bytes;
    if (error) return this.end(error);
    this.#durable += 1;
    if (this.#durable === 1) this.#flows.flushLater(this);
  }

  flush(): void {
    this.write(pubacks(this.#ids.splice(0, this.#durable)));
    this.#durable = 0;
    this.resume();
  }

  /** Whether another chunk is welcome. Where it is not, the socket has to be told so: `resume` then asks for it. */
  wantsMore(): boolean {
    const why = this.#mustWait();
    if (!why) return true;
    if (!this.#isPaused && why !== 'its_own_reading') this.#flows.acted.add(why);
    this.#isPaused = true;
    this.#await(why);
    return false;
  }

  /** Reads on, where nothing stands against it any more. */
  resume(): void {
    if (!this.#isPaused) return;
    const why = this.#mustWait();
    if (why) return this.#await(why);
    this.#isPaused = false;
    this.#leaveLines();
    if (!this.#socket.destroyed) this.#readOn();
  }

  /** Ends the connection as one that broke. */
  end(error: Error): void {
    this.#socket.destroy(error);
  }

  /** The connection has ended. */
  forget(): void {
    this.#leaveLines();
    this.#flows.blocked.delete(this);
    if (this.#share) this.#flows.rates.close(this.#share);
  }

  #mustWait(): Wait | undefined {
    const { maxUnackedBytes, blocked, rates, crowded } = this.#flows;
    if (this.#unackedBytes > maxUnackedBytes) return 'unacknowledged_bytes';
    if (blocked.has(this)) return 'its_own_reading';
    const share = this.#share;
    if (!share) return undefined;
    if (rates.terminalWaitMs(share) > 0) return 'terminal_packets';
    if (rates.acquirerWaitMs(share.acquirer) > 0) return 'acquirer_packets';
    return crowded(share.acquirer) ? 'pending_bytes' : undefined;
  }

  /** Sees to it that `resume` is called. `flush` and `drain` do so by themselves. */
  #await(why: Wait): void {
    const share = this.#share;
    if (!share || why === 'unacknowledged_bytes' || why === 'its_own_reading') return;
    this.#leaveLines();
    if (why === 'terminal_packets') this.#slot = this.#flows.resumeLater(this, this.#flows.rates.terminalWaitMs(share));
    else this.#flows.lines.join(share.acquirer, this);
  }

  #leaveLines(): void {
    this.#slot?.delete(this);
    if (this.#share) this.#flows.lines.leave(this.#share.acquirer, this);
  }
}
