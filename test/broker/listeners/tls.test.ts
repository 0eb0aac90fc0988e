import { once } from 'node:events';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { type Authority, newAuthority, type Pair } from '../../helpers/authority.ts';
import { eventually } from '../../helpers/eventually.ts';
import { MqttClient } from '../../helpers/mqtt.ts';
import { tempDir } from '../../helpers/tempdir.ts';
import { START, testBroker } from '../harness.ts';

const USER = 'acme/SN000001';
const REPORT = 'pos/v1/acme/SN000001/report';
const MQTTS = [{ scheme: 'mqtts' as const, host: '127.0.0.1', port: 0 }];

/** A broker whose files may be replaced. */
async function tlsBroker({ mutual = false } = {}) {
  const [authority, dir] = await Promise.all([newAuthority(), tempDir()]);
  const tls = { certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') };
  const put = async ({ certFile, keyFile }: Pair) => {
    await copyFile(keyFile, tls.keyFile);
    await copyFile(certFile, tls.certFile);
  };
  await put(await authority.server('first'));
  const crlFile = join(dir, 'crl.pem');
  if (mutual) await writeFile(crlFile, await authority.revocationList());
  const files = mutual ? { ...tls, clientCaFile: authority.certFile, crlFile } : tls;
  const running = await testBroker({ listeners: MQTTS, tls: files });
  const ca = await readFile(authority.certFile, 'utf8');
  const login = { ca, tls: {} as ConnectionOptions };
  return { ...running, authority, tls, crlFile, put, ca, login };
}

async function shown({ certFile, keyFile }: Pair): Promise<ConnectionOptions> {
  const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
  return { cert, key };
}

/** The name in the certificate that the broker shows now. */
async function nameShown(port: number, ca: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost' });
  await once(socket, 'secureConnect');
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

describe('a TLS listener', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('serves a terminal over %s', async (version) => {
    const { terminal, payloads, ca } = await tlsBroker();

    const client = await terminal(USER, { ca, tls: { minVersion: version, maxVersion: version } });
    await client.publish(REPORT, 'over TLS');

    expect((client.socket as TLSSocket).getProtocol()).toBe(version);
    expect(payloads()).toEqual(['over TLS']);
  });

  it('refuses older versions, and what is no TLS, and counts them', async () => {
    const { terminal, broker, ca, port } = await tlsBroker();

    await expect(terminal(USER, { ca, tls: { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } })).rejects.toThrow();
    const plain = connectSocket(port, '127.0.0.1');
    plain.on('error', () => {}).write('\x10\x00 no TLS at all');
    await once(plain, 'close');

    await eventually(() => expect(broker.stats().refusals).toEqual({ tls_handshake: 2 }));
  });

  it('cuts an oversized packet off, as without TLS', async () => {
    const { terminal, broker, ca } = await tlsBroker();
    const client = await terminal(USER, { ca });

    client.socket.write(Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]));
    await client.closed;

    await eventually(() => expect(broker.stats().refusals).toEqual({ oversized: 1 }));
  });

  it('is refused in one line where its files cannot be used', async () => {
    const [one, other] = await Promise.all([newAuthority(), newAuthority()]);
    const [{ certFile }, { keyFile }] = await Promise.all([one.server(), other.server()]);

    const start = (tls: Partial<Pair & { clientCaFile: string; crlFile: string }>) =>
      expect(testBroker({ listeners: MQTTS, tls: { certFile, keyFile: certFile.replace(/pem$/, 'key'), ...tls } })).rejects;
    await start({ certFile: '/nowhere/cert.pem' }).toMatchObject({
      code: 'tls_files',
      message: expect.stringContaining('/nowhere/cert.pem'),
    });
    await start({ keyFile }).toMatchObject({ code: 'tls_files' });
    await start({ clientCaFile: keyFile }).toMatchObject({ code: 'tls_files' });
    await start({ clientCaFile: one.certFile, crlFile: one.certFile }).toMatchObject({
      code: 'tls_files',
      message: expect.stringContaining('no revocation list'),
    });
  });
});

describe('certificates that change', () => {
  it('are taken while terminals report, and no connection drops', async () => {
    const { terminal, payloads, ca, put, authority, port, clock, lines, broker } = await tlsBroker();
    const clients = await Promise.all(Array.from({ length: 20 }, (_, i) => terminal(`acme/SN0000${i + 10}`, { ca })));
    let [goesOn, sent] = [true, 0];
    const reporting = clients.map(async (client, i) => {
      for (let n = 0; goesOn; n += 1) {
        await client.publish(`pos/v1/acme/SN0000${i + 10}/report`, `${i}-${n}`);
        sent += 1;
      }
    });

    for (const name of ['second', 'third', 'fourth']) {
      await put(await authority.server(name));
      await eventually(async () => {
        clock.pass(1_000);
        expect(await nameShown(port, ca)).toBe(name);
      });
      const before = sent;
      await eventually(() => expect(sent).toBeGreaterThan(before + 100));
    }
    goesOn = false;
    await Promise.all(reporting);

    expect(lines.filter((line) => line.includes('was read again'))).toHaveLength(3);
    expect(payloads()).toHaveLength(sent);
    expect(broker.stats()).toMatchObject({ connections: 20, refusals: {} });
  });

  it('are not taken while they cannot be used, which is said once, and are when they can', async () => {
    const { tls, put, authority, port, ca, clock, lines } = await tlsBroker();
    const second = await authority.server('second');

    await copyFile(second.certFile, tls.certFile);
    await eventually(() => {
      clock.pass(1_000);
      expect(lines).toEqual([expect.stringMatching(/^TLS: .*those read before are used on$/)]);
    });
    expect(await nameShown(port, ca)).toBe('first');
    await put(second);

    await eventually(async () => {
      clock.pass(1_000);
      expect(await nameShown(port, ca)).toBe('second');
    });
    expect(lines).toHaveLength(2);
  });

  it('are read again at once when that is asked for', async () => {
    const { put, authority, port, ca, broker } = await tlsBroker();
    await put(await authority.server('second'));

    await broker.reload();

    expect(await nameShown(port, ca)).toBe('second');
  });
});

describe('a certificate of its own', () => {
  const clientOf = async (authority: Authority, subject = '/O=acme/CN=SN000001', valid = {}) =>
    shown(await authority.client(subject, valid));
  const bare = { username: undefined, password: undefined } as const;

  it('logs a terminal in, without user name and password or with its own user name', async () => {
    const { terminal, payloads, ca, authority, arrivals } = await tlsBroker({ mutual: true });
    const tls = await clientOf(authority);

    const one = await terminal(USER, { ca, tls, ...bare });
    await one.publish(REPORT, 'by certificate');
    const two = await terminal(USER, { ca, tls, password: undefined });
    await two.publish(REPORT, 'with a name');

    expect([one.returnCode, two.returnCode]).toEqual([0, 0]);
    expect(payloads()).toEqual(['by certificate', 'with a name']);
    expect(arrivals()[0]).toMatchObject({ acquirer: 'acme', sn: 'SN000001' });
  });

  it('is not needed: a token does as well', async () => {
    const { terminal, ca } = await tlsBroker({ mutual: true });
    expect((await terminal(USER, { ca })).returnCode).toBe(0);
    expect((await terminal(USER, { ca, ...bare })).returnCode).toBe(4);
  });

  it('works for no other terminal, whatever is given beside it', async () => {
    const { terminal, token, ca, authority, broker } = await tlsBroker({ mutual: true });
    const tls = await clientOf(authority);
    const other = 'acme/SN000002';

    const answers = [
      await terminal(other, { ca, tls, ...bare }),
      await terminal(other, { ca, tls, password: token(other) }),
      await terminal(USER, { ca, tls, username: 'noc:grafana', password: token('noc:grafana') }),
    ];

    expect(answers.map(({ returnCode }) => returnCode)).toEqual([2, 4, 4]);
    expect(broker.stats().refusals).toEqual({ foreign_client_id: 1, foreign_user: 2 });
    const client = await terminal(USER, { ca, tls, ...bare });
    await expect(client.publish('pos/v1/acme/SN000002/report', 'forged')).rejects.toThrow('ended');
  });

  it.each([
    ['of another authority', '/O=acme/CN=SN000001', {}, 4, 'bad_certificate'],
    ['without an acquirer', '/CN=SN000001', {}, 4, 'bad_certificate'],
    ['of an acquirer that cannot be', '/O=noc:acme/CN=SN000001', {}, 4, 'bad_certificate'],
    ['with two names', '/O=acme/CN=SN000002/CN=SN000001', {}, 4, 'bad_certificate'],
    ['that is over', '/O=acme/CN=SN000001', { until: new Date('2025-02-01') }, 5, 'expired'],
    ['that has not begun', '/O=acme/CN=SN000001', { from: new Date('2089-01-01') }, 4, 'bad_certificate'],
  ])('%s is refused, and so is a good token beside it', async (kind, subject, valid, code, reason) => {
    const { terminal, ca, authority, broker } = await tlsBroker({ mutual: true });
    const issuer = kind === 'of another authority' ? await newAuthority() : authority;
    const tls = await clientOf(issuer, subject, valid);

    expect((await terminal(USER, { ca, tls })).returnCode).toBe(code);

    expect(broker.stats().refusals).toEqual({ [reason]: 1 });
  });

  it("of a server's kind is refused", async () => {
    const { terminal, ca, authority, broker } = await tlsBroker({ mutual: true });

    expect((await terminal(USER, { ca, tls: await shown(await authority.server()) })).returnCode).toBe(4);

    expect(broker.stats().refusals).toEqual({ bad_certificate: 1 });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'that is on the revocation list is refused once the list was read, also in a session of %s that is resumed',
    async (version) => {
      const { terminal, ca, authority, crlFile, broker } = await tlsBroker({ mutual: true });
      const pair = await authority.client('/O=acme/CN=SN000001');
      const tls = { ...(await shown(pair)), minVersion: version, maxVersion: version };
      const first = await terminal(USER, { ca, tls, ...bare });
      const session = (first.socket as TLSSocket).getSession()!;
      await first.disconnect();
      const second = await terminal(USER, { ca, tls: { ...tls, session }, ...bare });
      expect([second.returnCode, (second.socket as TLSSocket).isSessionReused()]).toEqual([0, true]);

      await writeFile(crlFile, await authority.revocationList(pair));
      await broker.reload();

      expect((await terminal(USER, { ca, tls: { ...tls, session: (second.socket as TLSSocket).getSession()! }, ...bare })).returnCode).toBe(
        5,
      );
      expect((await terminal('acme/SN000002', { ca, tls: await clientOf(authority, '/O=acme/CN=SN000002'), ...bare })).returnCode).toBe(0);
      expect(broker.stats().refusals).toEqual({ revoked: 1 });
    },
  );

  it('that began before a revocation of its terminal is refused, and its connection ended; a later one is not', async () => {
    const { terminal, ca, authority, order, broker } = await tlsBroker({ mutual: true });
    const tls = await clientOf(authority, undefined, { from: new Date(START - 60_000) });
    const later = await clientOf(authority, undefined, { from: new Date(START + 60_000) });
    const client = await terminal(USER, { ca, tls, ...bare });

    await order({ kind: 'revocation', at: START, user: USER });

    await client.closed;
    expect((await terminal(USER, { ca, tls, ...bare })).returnCode).toBe(5);
    expect((await terminal(USER, { ca, tls: later, ...bare })).returnCode).toBe(0);
    expect(broker.stats().refusals).toEqual({ revoked: 1 });
  });

  it('that comes onto the revocation list while it is connected ends the connection, without its Will; others stay', async () => {
    const { terminal, ca, authority, crlFile, clock, arrivals, broker } = await tlsBroker({ mutual: true });
    const [one, two] = [await authority.client('/O=acme/CN=SN000001'), await authority.client('/O=acme/CN=SN000002')];
    const will = { topic: `pos/v1/${USER}/state`, payload: '{}' };
    const revoked = await terminal(USER, { ca, tls: await shown(one), ...bare, will });
    const good = await terminal('acme/SN000002', { ca, tls: await shown(two), ...bare });
    const byToken = await terminal('acme/SN000003', { ca });

    await writeFile(crlFile, await authority.revocationList(one));
    await eventually(() => {
      clock.pass(1_000);
      expect(revoked.socket.destroyed).toBe(true);
    });

    await Promise.all([good.ping(), byToken.ping()]);
    expect(arrivals()).toEqual([]);
    expect(broker.stats().connections).toBe(2);
  });

  it('that comes onto it between its handshake and its CONNECT is refused', async () => {
    const { port, ca, authority, crlFile, broker } = await tlsBroker({ mutual: true });
    const pair = await authority.client('/O=acme/CN=SN000001');
    const socket = connect({ port, host: '127.0.0.1', ca, servername: 'localhost', ...(await shown(pair)) });
    await once(socket, 'session');
    const client = new MqttClient(socket);

    await writeFile(crlFile, await authority.revocationList(pair));
    await broker.reload();
    await client.login({ port, clientId: 'SN000001' });

    expect([client.returnCode, broker.stats().refusals]).toEqual([5, { revoked: 1 }]);
  });
});
