/** A receiver of whatever behaviour: a real socket on loopback, that keeps the bytes it gets. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Receiver {
  port: number;
  url(path?: string): URL;
  /** What came in, by connection. */
  readonly received: string[];
  readonly connections: Socket[];
}

/** Calls `answer` once a connection has sent a whole request; with null the connection is not read at all. */
export async function receiver(answer: ((socket: Socket) => void) | null, host = '127.0.0.1', port = 0): Promise<Receiver> {
  const received: string[] = [];
  const connections: Socket[] = [];
  const server = createServer((socket) => {
    const n = connections.push(socket) - 1;
    received.push('');
    socket.on('error', () => {});
    if (answer === null) return;
    socket.on('data', (chunk) => {
      const had = isWhole(received[n]!);
      received[n] += chunk.toString('latin1');
      if (!had && isWhole(received[n]!)) answer(socket);
    });
  });
  await once(server.listen(port, host), 'listening');
  onTestFinished(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const listening = (server.address() as AddressInfo).port;
  return { port: listening, url: (path = '/hook') => new URL(`http://${host}:${listening}${path}`), received, connections };
}

function isWhole(request: string): boolean {
  const length = /^content-length: (\d+)\r$/im.exec(request)?.[1];
  const body = request.indexOf('\r\n\r\n') + 4;
  return body > 3 && length !== undefined && request.length >= body + Number(length);
}

/** Answers and closes. */
export const answering = (text: string) => (socket: Socket) => void socket.end(text);
