/**
 * The front stands between the sockets and Aedes, for what terminals send all day. In: a connection's bytes, through the `push` of its
 * own Readable. Out: records into the log's group, PUBACKs and PINGRESPs onto the socket; all else is pushed on, and Aedes reads it
 * from the same socket. So there is one stream a connection, and addresses, TLS, ends, errors and back-pressure are the socket's own.
 *
 * The front takes a frame where it is a PINGREQ, or a PUBLISH with QoS 1 to the terminal's own `report`, `event` or `ack` that nobody
 * listens to; and only while nothing of its connection is inside Aedes. So whatever was sent first is first in the log and
 * acknowledged first, and a frame that Aedes will refuse is followed by none that was taken. Until the CONNACK is out, what a client
 * sends behind its CONNECT waits in the front: Aedes would answer some of it before the CONNACK, and gather the rest.
 *
 * Who owns what: the socket its end; Aedes log-ins, sessions, subscriptions, Wills and the answers to all that it is passed; publishing.ts
 * the way into the log; a Connection which bytes go where; a Flow what is owed to the client, and whether more is read; the wheel
 * who has been silent for too long, as Aedes does not see what the front takes.
 *
 * What can fail: the log (the connection ends without a PUBACK, as in Aedes), a client that does not read (it is read no further, and
 * ended after `drain_seconds`), too much for the log or over an acquirer's or a
 * terminal's rate (no more is read until that is over).
 */
import type { Duplex } from 'node:stream';
import type { Aedes, Client } from 'aedes';
import type { Intake } from '../intake.ts';
import type { Acted } from '../limits/acted.ts';
import { rateOf } from '../limits/bucket.ts';
import { createPacketRates } from '../limits/packet-rates.ts';
import type { LimitValues } from '../limits/table.ts';
import type { Publishing } from '../publishing.ts';
import type { Sessions } from '../sessions.ts';
import { createFlusher } from './acks.ts';
import type { Audience } from './audience.ts';
import { Connection, type Shared } from './connection.ts';
import type { Flow, Flows } from './flow.ts';
import { MAX_FRAME_BYTES } from './frames.ts';
import { createLines } from './lines.ts';
import { createWheel, MAX_TICKS } from './wheel.ts';

export interface FrontOptions {
  aedes: Aedes;
  node: string;
  now: () => number;
  uptime: () => number;
  limits: LimitValues;
  acted: Acted;
  intake: Pick<Intake, 'crowded'>;
  publishing: Publishing;
  sessions: Sessions;
  audience: Audience;
}

export interface Front {
  /** Takes over a socket, or another stream like one, before anything of it is read. */
  open(socket: Duplex): void;
  /** To be called each second. */
  tick(): void;
}

/** Connections that are read again after one batch: each may bring a chunk of 64 KiB. */
const RESUMED_AT_ONCE = 256;
/** What may stand before a payload in a record: names of 64, 32 and 32 characters, a channel, and what is between them. */
const MAX_HEAD_BYTES = 256;
const TICK_MS = 1_000;

export function createFront(options: FrontOptions): Front {
  const { aedes, node, now, uptime, limits, acted, intake, publishing, sessions, audience } = options;
  const connections = new WeakMap<object, Connection>();
  const wheel = createWheel<Connection>((connection) => connection.due());
  const pauses = createWheel<Flow>((flow) => flow.resume());
  const lines = createLines<Flow>();
  const rates = createPacketRates({
    perTerminal: rateOf(limits.terminal_packets, 1_000),
    perAcquirer: rateOf(limits.acquirer_packets, 1_000),
    uptime,
  });
  const flows: Flows = {
    maxUnackedBytes: limits.unacknowledged_bytes,
    crowded: intake.crowded,
    rates,
    acted,
    flushLater: createFlusher(resumeSome),
    lines,
    resumeLater: (flow, ms) => pauses.add(flow, Math.min(Math.ceil(ms / TICK_MS), MAX_TICKS)),
    blocked: new Map(),
    tick: wheel.now,
  };
  const scratch = Buffer.allocUnsafeSlow(MAX_HEAD_BYTES + MAX_FRAME_BYTES);
  const shared: Shared = { node, now, publishing, audience, wheel, flows, scratch, maxEarlyBytes: limits.early_bytes };

  function resumeSome(): void {
    const mayGo = (acquirer: string) => rates.acquirerWaitMs(acquirer) === 0 && !intake.crowded(acquirer);
    lines.serve(RESUMED_AT_ONCE, mayGo, (flow) => flow.resume());
  }

  aedes.on('client', (client: Client) => {
    const session = sessions.of(client);
    if (session) connections.get(client.conn)?.admit(session);
  });
  aedes.on('clientReady', (client: Client) => connections.get(client.conn)?.connected());
  aedes.on('unsubscribe', (filters: string[], client: Client) => audience.leave(client, filters));

  return {
    open(socket) {
      const connection = new Connection(socket, shared);
      connections.set(socket, connection);
      socket.push = (chunk: Buffer | null) => connection.receive(chunk);
      aedes.handle(socket);
    },
    tick() {
      wheel.tick();
      pauses.tick();
      resumeSome();
      for (const [flow, since] of flows.blocked) {
        if (wheel.now() - since >= limits.drain_seconds) flow.end(new Error('drain timeout'));
      }
    },
  };
}
