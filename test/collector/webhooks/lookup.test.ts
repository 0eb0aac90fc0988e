import { createSocket, type Socket } from 'node:dgram';
import dns from 'node:dns/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostLookup, inHosts } from '../../../collector/webhooks/lookup.ts';

describe('a machine’s own file of hosts', () => {
  const TEXT = '# ours\n127.0.0.1 localhost loopback # us\n::1\tlocalhost ip6-localhost\n\n10.0.0.7   bank.Example\n';

  it('gives every address of a name, whatever its case and with a last dot', () => {
    expect(inHosts(TEXT, 'localhost')).toEqual([
      { address: '127.0.0.1', family: 4 },
      { address: '::1', family: 6 },
    ]);
    expect(inHosts(TEXT, 'BANK.example.')).toEqual([{ address: '10.0.0.7', family: 4 }]);
  });

  it('gives none for what it does not name, and for what stands in a comment', () => {
    for (const name of ['ours', 'us', 'example', '']) expect(inHosts(TEXT, name)).toEqual([]);
  });
});

describe('a look-up', () => {
  const look = (hostname: string) =>
    new Promise<unknown>((resolve) => {
      hostLookup()(hostname, { all: true }, (error, addresses) => resolve(error ?? addresses));
    });

  it('of our own machine needs no name server', async () => {
    expect(await look('localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });
  });

  it('gives one address where one is wanted', async () => {
    const one = await new Promise((resolve) => hostLookup()('localhost', {}, (_, address, family) => resolve([address, family])));

    expect(one).toEqual(['127.0.0.1', 4]);
  });

  it('of names whose servers do not answer holds up no other name, however many there are', async () => {
    const server = await silentNameServer();
    const before = dns.getServers();
    dns.setServers([server]);
    onTestFinished(() => dns.setServers(before));
    const waiting = Array.from({ length: 20 }, (_, n) => look(`slow-${n}.example`));
    let slow = 0;
    for (const one of waiting) void one.then(() => slow++);

    expect(await look('localhost')).toContainEqual({ address: '127.0.0.1', family: 4 });

    expect(slow).toBe(0);
  });
});

/** Takes questions and answers none. */
async function silentNameServer(): Promise<string> {
  const socket: Socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => socket.close(() => resolve())));
  return `127.0.0.1:${socket.address().port}`;
}
