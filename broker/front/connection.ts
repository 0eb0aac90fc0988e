/** One socket: its frames are taken by the front or passed on to Aedes, which reads what is left. */
import { type Duplex, Readable } from 'node:stream';
import { writeArrival } from '../../protocol/record.ts';
import type { Publishing } from '../publishing.ts';
import type { Session } from '../sessions.ts';
import type { Audience } from './audience.ts';
import { Flow, type Flows } from './flow.ts';
import { FrameMeter, frameSize, OversizedFrameError } from './frames.ts';
import { Held } from './held.ts';
import { bodyStart, type Lane, laneAt, lanesOf } from './own-publish.ts';
import type { Slot, Wheel } from './wheel.ts';

/** MQTT 3.1.1, 2.2: the first bytes of frames. This PUBLISH has QoS 1, and is neither to be retained nor sent again. */
const CONNECT = 0x10;
const PUBLISH = 0x32;
const PINGREQ = 0xc0;
const PINGRESP = Buffer.from([0xd0, 0]);
const PINGRESP_BYTES = 2;
/** What is read ahead of a connection that has to wait. */
const HELD_BYTES = 16 * 1024;
const NOTHING = Buffer.alloc(0);

/** What all connections share. */
export interface Shared {
  node: string;
  now: () => number;
  publishing: Pick<Publishing, 'append' | 'holding'>;
  audience: Audience;
  wheel: Wheel<Connection>;
  flows: Flows;
  /** Room for one record: what is in it is copied before it is needed again. */
  scratch: Buffer;
  /** What may wait of a client that is not let in yet. */
  maxEarlyBytes: number;
}

export class Connection {
  readonly #socket: Duplex;
  readonly #shared: Shared;
  readonly #flow: Flow;
  readonly #meter = new FrameMeter();
  #session: Session | undefined;
  #isConnected = false;
  /** Its own topics, and those of them that nobody listens to, as of a version of the audience. */
  #lanes: readonly Lane[] = [];
  #unheard: readonly Lane[] = [];
  #audienceVersion = -1;
  #held: Held | undefined;
  /** The tick at which its last frame came. */
  #heardAt = 0;
  #slot: Slot<Connection> | undefined;

  constructor(socket: Duplex, shared: Shared) {
    this.#socket = socket;
    this.#shared = shared;
    this.#flow = new Flow(socket, shared.flows, () => this.#readOn());
    socket.once('close', () => {
      this.#slot?.delete(this);
      this.#flow.forget();
    });
  }

  /** It has logged in, and whoever was connected under its name before has said its last. */
  admit(session: Session): void {
    const { wheel, node } = this.#shared;
    if (this.#socket.destroyed) return;
    this.#session = session;
    if (session.user.kind === 'terminal') {
      this.#lanes = lanesOf(node, session.user);
      this.#flow.admit(session.user);
    }
    this.#heardAt = wheel.now();
    this.#slot = wheel.add(this, patienceTicks(session));
  }

  /** Its CONNACK is out, and what it was to be sent first. */
  connected(): void {
    this.#isConnected = true;
    if (this.#held) this.#readOn();
  }

  /** Takes what the socket brings, null at its end; false where it is to bring no more for now. */
  receive(chunk: Buffer | null): boolean {
    if (chunk === null) {
      if (this.#held) this.#take(NOTHING);
      return Readable.prototype.push.call(this.#socket, null);
    }
    // Aedes asks for more as it comes to the end of what it has, whoever was told to wait.
    if (!this.#flow.isPaused) return this.#take(chunk);
    if (this.#held) this.#held.with(chunk);
    else this.#held = new Held(chunk);
    return this.#mayHoldMore();
  }

  #take(chunk: Buffer): boolean {
    const bytes = this.#held?.with(chunk) ?? chunk;
    if (!this.#isConnected) return this.#takeEarly(bytes);
    const mayTake = this.#mayTake();
    const at = mayTake ? this.#takeFrames(bytes) : 0;
    if (this.#socket.destroyed) return false;
    const isPassed = mayTake && this.#isUnfinished(bytes, at) ? this.#hold(bytes, at) : this.#pass(bytes, at);
    return (this.#flow.wantsMore() || this.#mayHoldMore()) && isPassed;
  }

  /** The end of a connection is seen by reading alone: so a little is read of one that waits, too. */
  #mayHoldMore(): boolean {
    return (this.#held?.length ?? 0) < HELD_BYTES;
  }

  /** Passes the CONNECT on as soon as it has wholly come, and holds what is behind it. What begins with none is Aedes' to refuse. */
  #takeEarly(bytes: Buffer): boolean {
    if (this.#meter.frames > 0) return this.#holdEarly(bytes, 0);
    const size = frameSize(bytes, 0);
    if (!this.#meter.between || bytes[0] !== CONNECT || size === Infinity) return this.#pass(bytes, 0);
    if (size === 0 || size > bytes.length) return this.#hold(bytes, 0);
    const isPassed = this.#pass(bytes.subarray(0, size), 0);
    return size === bytes.length ? isPassed : this.#holdEarly(bytes, size);
  }

  #holdEarly(bytes: Buffer, at: number): boolean {
    const { maxEarlyBytes, flows } = this.#shared;
    this.#hold(bytes, at);
    if (bytes.length - at <= maxEarlyBytes) return true;
    flows.acted.add('early_bytes');
    return false;
  }

  /**
   * Its time in the wheel is over: it ends where no frame came in all of it. While it is not read because the log is behind, nobody can
   * say that it is silent.
   */
  due(): void {
    const session = this.#session!;
    const now = this.#shared.wheel.now();
    if (this.#flow.isPaused || session.inAedes > 0) this.#heardAt = now;
    const left = this.#heardAt + patienceTicks(session) - now;
    if (left > 0) this.#slot = this.#shared.wheel.add(this, left);
    else this.#flow.end(new Error('keep alive timeout'));
  }

  /** An empty push is how a Readable learns that its source is to be asked again. */
  #readOn(): void {
    if (this.#take(NOTHING)) Readable.prototype.push.call(this.#socket, NOTHING);
  }

  /** Only while nothing of this connection is inside Aedes: so everything stays in the order in which it was sent. */
  #mayTake(): boolean {
    const session = this.#session;
    if (!session || !this.#isConnected || session.inAedes > 0 || session.ended) return false;
    const isPassedOn = this.#meter.between && this.#socket.readableLength === 0;
    return isPassedOn && !this.#flow.isPaused && !this.#shared.publishing.holding();
  }

  /** Takes frames from the start of `bytes`, as many as are the front's; returns where the others begin. */
  #takeFrames(bytes: Buffer): number {
    let [at, pings, frames] = [0, 0, 0];
    while (at < bytes.length) {
      const end = at + frameSize(bytes, at);
      if (end === at || end > bytes.length) break;
      if (bytes[at] === PINGREQ) pings += 1;
      else if (bytes[at] !== PUBLISH || !this.#takePublish(bytes, at, end)) break;
      at = end;
      frames += 1;
    }
    this.#flow.spend(frames);
    if (at > 0) this.#heardAt = this.#shared.wheel.now();
    if (pings > 0) this.#flow.write(pings === 1 ? PINGRESP : Buffer.alloc(PINGRESP_BYTES * pings, PINGRESP));
    return at;
  }

  #takePublish(bytes: Buffer, at: number, end: number): boolean {
    const start = bodyStart(bytes, at);
    const lane = laneAt(this.#unheardLanes(), bytes, start, end);
    if (!lane) return false;
    this.#append(lane, bytes, start + lane.field.length, end);
    return !this.#socket.destroyed;
  }

  #append(lane: Lane, bytes: Buffer, idAt: number, end: number): void {
    const { scratch, now, publishing } = this.#shared;
    const { head } = lane;
    const payload = bytes.subarray(idAt + 2, end);
    const size = head.length + payload.length;
    writeArrival(scratch, head, now(), payload);
    this.#flow.taken(bytes.readUInt16BE(idAt), size);
    publishing.append(lane, scratch.subarray(0, size), this.#session, (error) => this.#flow.settled(size, error));
  }

  #unheardLanes(): readonly Lane[] {
    const { audience } = this.#shared;
    if (this.#audienceVersion !== audience.version()) {
      this.#audienceVersion = audience.version();
      this.#unheard = this.#lanes.filter(({ topic }) => !audience.hears(topic));
    }
    return this.#unheard;
  }

  /** Whether a frame that may be the front's begins at `at`, and its end has not come. */
  #isUnfinished(bytes: Buffer, at: number): boolean {
    if (bytes[at] !== PUBLISH && bytes[at] !== PINGREQ) return false;
    const size = frameSize(bytes, at);
    return size === 0 || (size !== Infinity && at + size > bytes.length);
  }

  #hold(bytes: Buffer, at: number): boolean {
    if (at > 0 || !this.#held) this.#held = new Held(bytes.subarray(at));
    return true;
  }

  /** Lets Aedes read what begins at `at`; false where that has enough to read, or the connection had to be ended. */
  #pass(bytes: Buffer, at: number): boolean {
    this.#held = undefined;
    if (at === bytes.length) return true;
    const rest = bytes.subarray(at);
    const framesBefore = this.#meter.frames;
    if (!this.#meter.take(rest)) {
      this.#flow.end(new OversizedFrameError());
      return false;
    }
    if (this.#meter.frames > framesBefore) this.#heardAt = this.#shared.wheel.now();
    this.#flow.spend(this.#meter.frames - framesBefore);
    return Readable.prototype.push.call(this.#socket, rest);
  }
}

/** MQTT 3.1.1, 3.1.2.10: one and a half times the keepalive; and a tick, as the first of them is not a whole one. */
function patienceTicks({ keepaliveSeconds }: Session): number {
  return Math.ceil(1.5 * keepaliveSeconds) + 1;
}
