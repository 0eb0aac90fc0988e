/** All connections, from the socket that was accepted to its end: a limit to how many there are, and to how long one may take to arrive. */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Arrival, Refuse, Stage } from './arrival.ts';
import type { ClientCertificate } from './certificate.ts';

export interface ConnectionsOptions {
  max: number;
  refuse: Refuse;
  /** `stream`: what MQTT is spoken over; nothing of it was read. */
  onConnection(stream: Duplex, certificate: ClientCertificate | undefined): void;
}

export interface Connections {
  /** Takes a socket in through `first`. */
  accept(socket: Socket, first: Stage): void;
  /** The last stage. */
  handOver: Stage<Duplex>;
  /** To be called each second. */
  tick(): void;
  /** Sends what is still to be sent, says good-bye, and after `graceMs` ends those that do not answer it. */
  end(graceMs: number): Promise<void>;
}

/** Until MQTT may be spoken: for a PROXY header, TLS and the upgrade to WebSocket together. */
const ARRIVAL_TICKS = 10;

export function createConnections({ max, refuse, onConnection }: ConnectionsOptions): Connections {
  const open = new Map<Socket, Duplex>();
  /** Those that are still on their way, the oldest first. */
  const arriving = new Map<Socket, { arrival: Arrival; since: number }>();
  let ticks = 0;

  return {
    accept(socket, first) {
      socket.on('error', () => {}); // Whoever reads it hears of that too; before, there is nobody to tell.
      const address = socket.remoteAddress;
      if (address === undefined) return void socket.destroy(); // It is gone already.
      const arrival: Arrival = { accepted: socket, address };
      if (open.size >= max) {
        refuse('too_many_connections', arrival, `at most ${max}`);
        return void socket.destroy();
      }
      open.set(socket, socket);
      arriving.set(socket, { arrival, since: ticks });
      socket.once('close', () => {
        open.delete(socket);
        arriving.delete(socket);
      });
      first(socket, arrival);
    },
    handOver(stream, { accepted, address, certificate }) {
      if (!arriving.delete(accepted)) return void stream.destroy();
      open.set(accepted, stream);
      if ((stream as Partial<Socket>).remoteAddress !== address) Object.defineProperty(stream, 'remoteAddress', { value: address });
      onConnection(stream, certificate);
    },
    tick() {
      ticks += 1;
      for (const [socket, { arrival, since }] of arriving) {
        if (ticks - since <= ARRIVAL_TICKS) return;
        refuse('connect_timeout', arrival, 'on its way in');
        socket.destroy();
      }
    },
    async end(graceMs) {
      const closed = [...open.keys()].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      for (const stream of open.values()) stream.end();
      const limit = setTimeout(() => {
        for (const socket of open.keys()) socket.destroy();
      }, graceMs);
      await Promise.all(closed);
      clearTimeout(limit);
    },
  };
}
