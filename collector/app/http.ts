import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';

export interface HttpServer {
  url: string;
  close(): Promise<void>;
}

/** Errors: the system's where the address is taken. */
export function listen(fetch: (request: Request) => Response | Promise<Response>, { host, port }: { host: string; port: number }) {
  return new Promise<HttpServer>((resolve, reject) => {
    const server = serve({ fetch, hostname: host, port }, (address: AddressInfo) => {
      const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          // Idle keep-alive connections would hold up a clean stop.
          if ('closeAllConnections' in server) server.closeAllConnections();
        });
      resolve({ url: `http://${shown}:${address.port}`, close });
    });
    server.once('error', reject);
  });
}
