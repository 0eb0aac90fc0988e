/** The product as its operators run it with TLS: by its settings, as processes of their own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { newAuthority, type Pair } from '../helpers/authority.ts';
import { eventually } from '../helpers/eventually.ts';
import { Installation } from '../helpers/installation.ts';
import { connectMqtt } from '../helpers/mqtt.ts';
import { tempDir } from '../helpers/tempdir.ts';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const USER = 'acme/SN000001';

async function start() {
  const [authority, dir] = [await newAuthority(), await tempDir()];
  const files = { certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') };
  const put = async ({ certFile, keyFile }: Pair) => {
    await copyFile(keyFile, files.keyFile);
    await copyFile(certFile, files.certFile);
  };
  await put(await authority.server('first'));
  const installation = await Installation.create({
    TILLWATCH_MQTTS_LISTEN: '127.0.0.1:0',
    TILLWATCH_WSS_LISTEN: '127.0.0.1:0',
    TILLWATCH_TLS_CERT_FILE: files.certFile,
    TILLWATCH_TLS_KEY_FILE: files.keyFile,
    TILLWATCH_TLS_CLIENT_CA_FILE: authority.certFile,
  });
  const product = installation.start('start');
  await product.ready();
  await eventually(() => expect(product.said).toMatch(/^broker: wss:\/\/127\.0\.0\.1:\d+$/m));
  const port = Number(/^broker: mqtts:\/\/127\.0\.0\.1:(\d+)$/m.exec(product.said)![1]);
  return { authority, put, installation, product, port };
}

/** The agent, as it runs on a terminal, until all it has was acknowledged. */
async function agent(url: string, env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const args = [MAIN, 'agent', 'once', '--url', url, '--acquirer', 'acme', '--sn', 'SN000001', '--outbox', await tempDir()];
  const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  const said = text(child.stderr);
  const [code] = await once(child, 'exit');
  return { code, said: await said };
}

it('the agent reports over TLS, to a broker that takes another certificate on SIGHUP and drops nobody', async () => {
  const { authority, put, installation, product, port } = await start();
  const url = `mqtts://localhost:${port}`;
  const env = { TILLWATCH_AGENT_TOKEN: installation.token(USER), NODE_EXTRA_CA_CERTS: authority.certFile };
  const ca = await readFile(authority.certFile, 'utf8');
  const other = await connectMqtt({
    port,
    ca,
    clientId: 'SN000002',
    username: 'acme/SN000002',
    password: installation.token('acme/SN000002'),
  });

  const first = await agent(url, env);
  await put(await authority.server('second'));
  process.kill(product.pid, 'SIGHUP');
  await eventually(() => expect(product.said).toContain('was read again'));
  const second = await agent(url, env);

  expect([first, second]).toEqual(
    Array(2).fill({ code: 0, said: expect.stringMatching(/^connected to mqtts:.*\n[1-9]\d* messages? acknowledged\n$/) }),
  );
  await other.ping();
  await eventually(async () => {
    const { items } = await installation.api<{ items: { sn: string }[] }>('/v1/terminals');
    expect(items.map(({ sn }) => sn)).toContain('SN000001');
  });
  await other.disconnect();
  expect(await installation.stopAll()).toEqual([0]);
});

it('a terminal logs in by its certificate, and `revoke` ends its connection', async () => {
  const { authority, installation, port } = await start();
  const own = await authority.client('/O=acme/CN=SN000001');
  const [ca, cert, key] = await Promise.all([authority.certFile, own.certFile, own.keyFile].map((path) => readFile(path, 'utf8')));
  const login = { port, ca: ca!, tls: { cert, key }, clientId: 'SN000001' };
  const client = await connectMqtt(login);
  expect(client.returnCode).toBe(0);

  await installation.api('/v1/revocations', { user: USER });
  await client.closed;

  expect((await connectMqtt(login)).returnCode).toBe(5);
});
