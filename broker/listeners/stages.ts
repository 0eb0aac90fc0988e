/** What may stand between a socket and MQTT: a balancer's header, and TLS. */
import type { BlockList, Socket } from 'node:net';
import { isIPv6 } from 'node:net';
import { Readable } from 'node:stream';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import type { Arrival, Refuse, Stage } from './arrival.ts';
import { certificateOf } from './certificate.ts';
import { paced } from './paced.ts';
import { readProxyHeader } from './proxy-header.ts';
import type { Tls } from './tls.ts';

/** A handshake takes the event loop about a millisecond. */
const HANDSHAKES_A_TURN = 16;

/**
 * Reads the PROXY header of connections from `proxies`, which must send one: the address in it is the client's. What others send is
 * theirs, so nobody else can claim an address.
 */
export function proxyStage(proxies: BlockList, refuse: Refuse, next: Stage): Stage {
  return (socket, arrival) => {
    if (!proxies.check(arrival.address, isIPv6(arrival.address) ? 'ipv6' : 'ipv4')) return next(socket, arrival);
    let held: Buffer = Buffer.alloc(0);
    // What follows the header must take the same way as all that comes later, so nothing may be left in the socket's own buffer.
    socket.push = (chunk: Buffer | null) => {
      if (chunk === null) return end(socket);
      held = Buffer.concat([held, chunk]);
      const header = readProxyHeader(held);
      if (header.kind === 'partial') return true;
      if (header.kind === 'bad') {
        refuse('bad_proxy_header', arrival, `${held.length} bytes from a balancer`);
        return end(socket);
      }
      socket.push = Readable.prototype.push;
      arrival.address = header.address ?? arrival.address;
      next(socket, arrival);
      return header.bytes === held.length || socket.push(held.subarray(header.bytes));
    };
  };
}

function end(socket: Socket): boolean {
  socket.destroy();
  return false;
}

/** `server` knows the certificates: they may be exchanged while it runs. */
export function tlsStage(tls: Tls, refuse: Refuse, next: Stage): { server: TlsServer; stage: Stage } {
  // The server does not say which socket it made one of; both have the same ends.
  const arrivals = new Map<string, Arrival>();
  const inTurn = paced(HANDSHAKES_A_TURN);
  const server = createTlsServer({
    ...tls.material.context,
    requestCert: tls.asksForCertificates,
    // The log-in refuses a bad one, so its owner is told by a CONNACK what is wrong.
    rejectUnauthorized: false,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => {}); // As for the socket below it: until somebody reads, there is nobody to tell.
    const arrival = arrivals.get(endsOf(socket));
    if (!arrival) return void socket.destroy();
    arrival.certificate = certificateOf(socket);
    next(socket, arrival);
  });
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
    const arrival = arrivals.get(endsOf(socket));
    if (arrival && error.code !== 'ECONNRESET') refuse('tls_handshake', arrival, error.code ?? error.message);
  });
  return {
    server,
    stage: (socket, arrival) => {
      const ends = endsOf(socket);
      arrivals.set(ends, arrival);
      socket.once('close', () => arrivals.delete(ends));
      inTurn(() => {
        if (!socket.destroyed) server.emit('connection', socket);
      });
    },
  };
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
