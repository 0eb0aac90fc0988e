/** What goes back to a client, and when no more is read from it: until the log or the client itself has caught up. */
import { type Duplex, Readable } from 'node:stream';
import { pubacks } from './acks.ts';

/** What one connection may have waiting for the log before it is read no further. */
const MAX_UNACKED_BYTES = 256 * 1024;
const NOTHING = Buffer.alloc(0);

/** What the flows of all connections share. */
export interface Flows {
  /** Whether so much waits for the log, of all connections, that who can wait should. */
  crowded(): boolean;
  /** Has `flush` called when the log has told all of a batch. */
  flushLater(flow: Flow): void;
  /** Those that are read no further: `resume` is called now and then. */
  paused: Set<Flow>;
  /** Those that do not read what they are sent, and the tick at which that began. */
  blocked: Map<Flow, number>;
  tick(): number;
}

export class Flow {
  readonly #socket: Duplex;
  readonly #flows: Flows;
  /** Message ids whose PUBACKs are due, the oldest first; the first `#durable` of them are in the log. */
  readonly #ids: number[] = [];
  #durable = 0;
  #unackedBytes = 0;
  #isPaused = false;

  constructor(socket: Duplex, flows: Flows) {
    this.#socket = socket;
    this.#flows = flows;
  }

  get isPaused(): boolean {
    return this.#isPaused;
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
    if (!this.#mustWait()) return true;
    this.#isPaused = true;
    this.#flows.paused.add(this);
    return false;
  }

  /** Reads on, where nothing stands against it any more. An empty push is how a Readable learns that its source is asked again. */
  resume(): void {
    if (!this.#isPaused || this.#mustWait()) return;
    this.#isPaused = false;
    this.#flows.paused.delete(this);
    if (!this.#socket.destroyed) Readable.prototype.push.call(this.#socket, NOTHING);
  }

  /** Ends the connection as one that broke. */
  end(error: Error): void {
    this.#socket.destroy(error);
  }

  /** The connection has ended. */
  forget(): void {
    this.#flows.paused.delete(this);
    this.#flows.blocked.delete(this);
  }

  #mustWait(): boolean {
    return this.#unackedBytes > MAX_UNACKED_BYTES || this.#flows.blocked.has(this) || this.#flows.crowded();
  }
}
