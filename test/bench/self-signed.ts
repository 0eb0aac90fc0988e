import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TlsFiles } from '../../broker/listeners/tls.ts';

const run = promisify(execFile);

/** A certificate for loopback, P-256 as terminals have it. */
export async function selfSigned(folder: string): Promise<TlsFiles> {
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', files.keyFile];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await run('openssl', ['req', '-x509', ...key, ...subject, '-days', '30', '-out', files.certFile]);
  return files;
}
