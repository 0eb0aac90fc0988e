/** The sockets: a TCP or TLS port, a limit to how many are open, and an orderly end. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { BrokerError } from './errors.ts';

export interface ListenOptions {
  host: string;
  /** 0 for any free one. */
  port: number;
  /** Paths of PEM files. */
  tls?: { certFile: string; keyFile: string };
  maxConnections: number;
  onConnection(socket: Socket): void;
  /** Told of each connection that was closed at once because there were too many. */
  onTooMany(): void;
}

export interface Listener {
  readonly address: { host: string; port: number };
  stopListening(): void;
  /** Sends what is still to be sent, says good-bye, and after `graceMs` ends those that do not answer it. */
  endConnections(graceMs: number): Promise<void>;
}

const HANDSHAKE_MS = 10_000;

/** Errors: BrokerError where the address cannot be had or a TLS file cannot be used. */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { host, port, maxConnections, onConnection, onTooMany } = options;
  const sockets = new Set<Socket>();
  const server = await createAnyServer(options, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    onConnection(socket);
  });
  server.maxConnections = maxConnections;
  server.on('drop', onTooMany);
  await bind(server, host, port);
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    stopListening: () => void server.close(),
    endConnections: async (graceMs) => {
      for (const socket of sockets) socket.end();
      const limit = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await Promise.all([...sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
      clearTimeout(limit);
    },
  };
}

async function createAnyServer({ tls }: ListenOptions, onSocket: (socket: Socket) => void): Promise<Server> {
  if (!tls) return createServer({ noDelay: true }, onSocket);
  try {
    const [cert, key] = await Promise.all([readFile(tls.certFile), readFile(tls.keyFile)]);
    return createTlsServer({ cert, key, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_MS, noDelay: true }, onSocket);
  } catch (error) {
    throw new BrokerError('tls_files', `${tls.certFile}, ${tls.keyFile}: ${(error as Error).message}`, { cause: error });
  }
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const detail = `${host}:${port}`;
    throw code === 'EADDRINUSE'
      ? new BrokerError('address_taken', detail, { cause: error })
      : new BrokerError('address_unusable', `${detail}: ${message}`, { cause: error });
  }
}
