/** Certificates: read from their files, checked before they are used, and read again where the files change. */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { BrokerError } from '../errors.ts';
import { revokedIn } from './revocation-list.ts';

/** Paths of PEM files. */
export interface TlsFiles {
  /** The certificate, with those between it and its authority after it. */
  certFile: string;
  keyFile: string;
  /** The authorities of terminals' certificates: with it, terminals may log in by theirs. */
  clientCaFile?: string | undefined;
  /** What those authorities have revoked: a list of each of them. */
  crlFile?: string | undefined;
}

export interface Tls {
  readonly asksForCertificates: boolean;
  /** What connections are accepted with now. */
  readonly material: Material;
  /** Reads the files again where they have changed and are not being written. To be called now and then; never rejects. */
  check(): Promise<void>;
  /** Reads the files again, now. What cannot be used changes nothing, and is said. Never rejects. */
  reload(): Promise<void>;
}

export interface Material {
  context: SecureContextOptions;
  /** The names of the certificates that the revocation lists have. */
  revoked: ReadonlySet<string>;
}

interface TlsOptions {
  files: TlsFiles;
  /** Told of what is to be used from now on. */
  apply(material: Material): void;
  say(line: string): void;
}

/** Node reads one list from each text. */
const CRL_PATTERN = /-----BEGIN X509 CRL-----[\s\S]*?-----END X509 CRL-----/g;

/** Errors: BrokerError where a file cannot be read or used. */
export async function openTls({ files, apply, say }: TlsOptions): Promise<Tls> {
  let used = await signatureOf(files);
  let seen = used;
  let material = await readMaterial(files);
  let reloading: Promise<void> | undefined;

  async function readAgain(): Promise<void> {
    used = await signatureOf(files);
    seen = used;
    try {
      material = await readMaterial(files);
      apply(material);
      say(`TLS: ${files.certFile} was read again: it is good until ${validTo(material.context)}`);
    } catch (error) {
      say(`TLS: ${(error as Error).message}: those read before are used on`);
    }
  }

  const reload = () => {
    reloading ??= readAgain().finally(() => {
      reloading = undefined;
    });
    return reloading;
  };
  return {
    asksForCertificates: files.clientCaFile !== undefined,
    get material() {
      return material;
    },
    reload,
    async check() {
      const before = seen;
      seen = await signatureOf(files);
      // Certificate and key are replaced one after the other: both are there once nothing changes any more.
      if (seen !== used && seen === before) await reload();
    },
  };
}

function pathsOf({ certFile, keyFile, clientCaFile, crlFile }: TlsFiles): string[] {
  return [certFile, keyFile, clientCaFile, crlFile].filter((path) => path !== undefined);
}

/** Differs where a file does. A link is followed: some swap a folder of files by a link to it. */
async function signatureOf(files: TlsFiles): Promise<string> {
  const stats = await Promise.all(pathsOf(files).map((path) => stat(path).catch(() => undefined)));
  return stats.map((file) => (file ? `${file.ino}:${file.size}:${file.mtimeMs}` : 'missing')).join(' ');
}

async function readMaterial(files: TlsFiles): Promise<Material> {
  const { certFile, keyFile, clientCaFile, crlFile } = files;
  try {
    const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
    const context: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' };
    if (clientCaFile) context.ca = await readAuthorities(clientCaFile);
    const lists = crlFile ? await readRevocationLists(crlFile) : [];
    if (crlFile) context.crl = lists;
    createSecureContext(context);
    return { context, revoked: revokedIn(lists) };
  } catch (error) {
    throw new BrokerError('tls_files', `${pathsOf(files).join(', ')}: ${(error as Error).message}`, { cause: error });
  }
}

/** OpenSSL passes over what is no certificate; then nobody could log in, and nothing would say why. */
async function readAuthorities(path: string): Promise<string> {
  const text = await readFile(path, 'utf8');
  new X509Certificate(text);
  return text;
}

async function readRevocationLists(path: string): Promise<string[]> {
  const lists = (await readFile(path, 'utf8')).match(CRL_PATTERN);
  if (!lists) throw new Error(`${path} has no revocation list in PEM`);
  return [...lists];
}

function validTo({ cert }: SecureContextOptions): string {
  return new X509Certificate(cert as string).validTo;
}
