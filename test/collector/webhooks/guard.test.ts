/** Against requests that a receiver's author sends into our own network: with real listeners, which must not be reached. */
import type { LookupFunction } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseRanges } from '../../../collector/webhooks/addresses.ts';
import { post, refusalOfHost } from '../../../collector/webhooks/post.ts';
import { answering, receiver } from './raw-receiver.ts';

const OK = 'HTTP/1.1 204 No Content\r\n\r\n';
const allowing = (text: string) => parseRanges(text).ranges;

const send = (url: string, allowed: string, lookup?: LookupFunction) =>
  post(new URL(url), {}, Buffer.from('{}'), {
    allowed: allowing(allowed),
    signal: new AbortController().signal,
    limitMs: 5_000,
    ...(lookup && { lookup }),
  });

/** A name server that gives each of these answers once, and the last one from then on. */
function answers(...addresses: string[][]) {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _, callback) => {
    const now = addresses[Math.min(asked.push(hostname), addresses.length) - 1]!;
    callback(
      null,
      now.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup, asked };
}

/** Of what a name leads to nothing is said: whoever sets a webhook reads it. */
const FORBIDDEN = { kind: 'unanswered', why: 'bank.example leads to no public address' };

describe('a name', () => {
  it('of our own machine is not dialled, as the system resolves it', async () => {
    const { port, connections } = await receiver(answering(OK));

    expect(await send(`http://localhost:${port}/`, '')).toMatchObject({
      why: 'localhost leads to no public address',
    });
    expect(await send(`http://localhost.:${port}/`, '')).toMatchObject({ kind: 'unanswered' });
    expect(await send(`https://localhost:${port}/`, '')).toMatchObject({ why: 'localhost leads to no public address' });
    expect(connections).toEqual([]);
    expect(await send(`http://localhost:${port}/`, '127.0.0.1, ::1')).toMatchObject({ status: 204 });
  });

  it.each(['10.0.0.1', '169.254.169.254', '::1', 'fd00:ec2::254', '::ffff:127.0.0.1', '64:ff9b::7f00:1'])(
    'that resolves to %s is not dialled',
    async (address) => {
      for (const scheme of ['http', 'https']) {
        expect(await send(`${scheme}://bank.example/`, '', answers([address]).lookup)).toEqual(FORBIDDEN);
      }
    },
  );

  it('that has a permitted address and a forbidden one is not dialled at all, in whichever order', async () => {
    const good = await receiver(answering(OK), '127.0.0.2');
    const bad = await receiver(answering(OK), '127.0.0.3', good.port);
    const both = ['127.0.0.2', '127.0.0.3'];

    for (const addresses of [both, both.toReversed(), ['127.0.0.2', '::1'], ['127.0.0.2', '10.0.0.1']]) {
      const answer = await send(`http://bank.example:${good.port}/`, '127.0.0.2', answers(addresses).lookup);
      expect(answer).toEqual(FORBIDDEN);
    }
    expect([good.connections, bad.connections]).toEqual([[], []]);
  });

  it('on the public network is not dialled without TLS', async () => {
    expect(await send('http://bank.example/', '', answers(['8.8.8.8', '2606:4700::1111']).lookup)).toEqual(FORBIDDEN);
  });
});

describe('a name that resolves otherwise the second time', () => {
  it('is dialled at the address that was checked, and not at the other one', async () => {
    const good = await receiver(answering(OK), '127.0.0.2');
    const bad = await receiver(answering(OK), '127.0.0.3', good.port);
    const { lookup, asked } = answers(['127.0.0.2'], ['127.0.0.3']);

    const answer = await send(`http://bank.example:${good.port}/`, '127.0.0.2', lookup);

    expect(answer).toMatchObject({ kind: 'answered', status: 204 });
    expect(asked).toEqual(['bank.example']);
    expect([good.connections.length, bad.connections.length]).toEqual([1, 0]);
    expect(good.received[0]).toContain(`Host: bank.example:${good.port}\r\n`);
  });

  it('is refused at the second attempt, though it was permitted at the first', async () => {
    const good = await receiver(answering(OK), '127.0.0.2');
    const bad = await receiver(answering(OK), '127.0.0.3', good.port);
    const { lookup } = answers(['127.0.0.2'], ['127.0.0.3']);
    const attempt = () => send(`http://bank.example:${good.port}/`, '127.0.0.2', lookup);

    expect(await attempt()).toMatchObject({ status: 204 });
    expect(await attempt()).toEqual(FORBIDDEN);
    expect([good.connections.length, bad.connections.length]).toEqual([1, 0]);
  });

  it('is refused at its first attempt, though it was permitted at its creation', async () => {
    const bad = await receiver(answering(OK), '127.0.0.3');
    const { lookup } = answers(['127.0.0.2'], ['127.0.0.3']);
    const url = `http://bank.example:${bad.port}/`;

    expect(await refusalOfHost(new URL(url), allowing('127.0.0.2'), lookup)).toBeNull();
    expect(await send(url, '127.0.0.2', lookup)).toEqual(FORBIDDEN);
    expect(bad.connections).toEqual([]);
  });
});

describe('an address in figures', () => {
  const SPELLINGS = ['127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f.1', '0x7f000001', '0177.0.0.1', '017700000001', '127.0.0.1.'];

  it.each([...SPELLINGS, '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '１２７.0.0.1', '127。0。0。1'])(
    '%s leads to our own machine, and is not dialled unless that is allowed',
    async (host) => {
      const { port, connections } = await receiver(answering(OK));
      const url = `http://${host}:${port}/`;

      expect(await send(url, '')).toMatchObject({ kind: 'unanswered', why: expect.stringContaining('is not a public address') });
      expect(await refusalOfHost(new URL(url), [])).toContain('is not a public address');
      expect(connections).toEqual([]);
      expect(await send(url, '127.0.0.0/8')).toMatchObject({ status: 204 });
      expect(connections).toHaveLength(1);
    },
  );

  it.each([
    '[::1]',
    '[::]',
    '[fe80::1]',
    '[fd00:ec2::254]',
    '[::127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
    '[2002:7f00:1::]',
    '0',
    '169.254.169.254',
  ])('%s is not dialled', async (host) => {
    for (const scheme of ['http', 'https']) {
      expect(await send(`${scheme}://${host}/`, '')).toMatchObject({ why: expect.stringContaining('is not a public address') });
      expect(await refusalOfHost(new URL(`${scheme}://${host}/`), [])).toContain('is not a public address');
    }
  });

  it('is not looked up', async () => {
    const { lookup, asked } = answers(['8.8.8.8']);

    expect(await send('https://127.0.0.1/', '', lookup)).toMatchObject({ why: expect.stringContaining('is not a public address') });
    expect(asked).toEqual([]);
  });
});

describe('at its creation', () => {
  const refusal = (url: string, ...addresses: string[]) => refusalOfHost(new URL(url), [], answers(addresses).lookup);

  it('a name is refused for any of its addresses, and without TLS for a public one', async () => {
    expect(await refusal('https://bank.example/', '8.8.8.8', '2606:4700::1111')).toBeNull();
    expect(await refusal('https://bank.example/', '8.8.8.8', '10.0.0.1')).toContain('bank.example: 10.0.0.1 is not a public address');
    expect(await refusal('http://bank.example/', '8.8.8.8')).toContain('must be reached over https');
  });

  it('an address in figures is refused without a look-up, and a public one is not', async () => {
    const { lookup, asked } = answers(['10.0.0.1']);

    expect(await refusalOfHost(new URL('https://8.8.8.8/'), [], lookup)).toBeNull();
    expect(await refusalOfHost(new URL('http://8.8.8.8/'), [], lookup)).toContain('must be reached over https');
    expect(asked).toEqual([]);
  });

  it('a name that cannot be looked up is an error of its own', async () => {
    const missing = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });

    await expect(refusalOfHost(new URL('https://bank.example/'), [], (_, __, callback) => callback(missing, []))).rejects.toBe(missing);
  });
});
