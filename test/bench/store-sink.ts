/** The far side of a network: takes every write at once and keeps none, so that what is measured is the writer alone. Prints its port. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (request.method === 'POST') response.writeHead(204).end();
    else response.end('{"buckets":[{"id":"bench","retentionRules":[]}]}');
  });
});
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: (server.address() as AddressInfo).port })));
process.once('SIGTERM', () => process.exit(0));
