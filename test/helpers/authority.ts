/** An authority of certificates for tests, made by openssl in a folder of its own. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from './tempdir.ts';

const run = promisify(execFile);

export interface Pair {
  certFile: string;
  keyFile: string;
}

export interface Authority {
  certFile: string;
  /** A certificate for localhost and 127.0.0.1. */
  server(name?: string): Promise<Pair>;
  /** A client's certificate; `subject` as openssl writes it, such as /O=acme/CN=SN000001. */
  client(subject: string, valid?: { from?: Date; until?: Date }): Promise<Pair>;
  /** Revokes certificates and writes the list of all that are. */
  revocationList(...revoked: Pair[]): Promise<string>;
}

const CONFIG = (dir: string) => `
[ca]
default_ca = own
[own]
dir = ${dir}
database = ${dir}/index
serial = ${dir}/serial
new_certs_dir = ${dir}/issued
certificate = ${dir}/ca.pem
private_key = ${dir}/ca.key
default_md = sha256
default_crl_days = 3650
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = optional
[server]
subjectAltName = DNS:localhost,IP:127.0.0.1
extendedKeyUsage = serverAuth
[client]
extendedKeyUsage = clientAuth
`;

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** openssl's form of a time. */
const written = (date: Date) => `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;

export async function newAuthority(subject = '/CN=test'): Promise<Authority> {
  const dir = await tempDir();
  const config = join(dir, 'config');
  await mkdir(join(dir, 'issued'));
  await Promise.all([writeFile(config, CONFIG(dir)), writeFile(join(dir, 'index'), ''), writeFile(join(dir, 'serial'), '01')]);
  const certFile = join(dir, 'ca.pem');
  await run('openssl', ['req', '-x509', ...NEW_KEY, '-days', '3650', '-subj', subject, '-keyout', join(dir, 'ca.key'), '-out', certFile]);
  let count = 0;

  async function issue(kind: 'server' | 'client', subject: string, from: Date, until: Date): Promise<Pair> {
    const name = join(dir, `${kind}-${++count}`);
    const pair = { certFile: `${name}.pem`, keyFile: `${name}.key` };
    const request = `${name}.csr`;
    await run('openssl', ['req', '-new', ...NEW_KEY, '-subj', subject, '-keyout', pair.keyFile, '-out', request]);
    const times = ['-startdate', written(from), '-enddate', written(until)];
    await run('openssl', [
      'ca',
      '-batch',
      '-notext',
      '-config',
      config,
      '-extensions',
      kind,
      ...times,
      '-in',
      request,
      '-out',
      pair.certFile,
    ]);
    return pair;
  }

  return {
    certFile,
    server: (name = 'localhost') => issue('server', `/CN=${name}`, new Date('2025-01-01'), new Date('2090-01-01')),
    client: (subject, { from = new Date('2025-01-01'), until = new Date('2090-01-01') } = {}) => issue('client', subject, from, until),
    async revocationList(...revoked) {
      for (const pair of revoked) await run('openssl', ['ca', '-config', config, '-revoke', pair.certFile]);
      const path = join(dir, `list-${++count}.pem`);
      await run('openssl', ['ca', '-config', config, '-gencrl', '-out', path]);
      return await readFile(path, 'utf8');
    },
  };
}
