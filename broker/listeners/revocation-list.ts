/**
 * Which certificates an authority's list revokes (RFC 5280, sections 4.1 and 5.1). OpenSSL judges them as a connection begins and tells
 * no more of them, so for those that are open the lists are read here: issuers and serial numbers alone, as one of a large authority
 * has a hundred thousand entries and must not hold up the broker.
 */
import { createHash, type X509Certificate } from 'node:crypto';

/** ASN.1 tags (X.690, 8.1.2). */
const INTEGER = 0x02;
const SEQUENCE = 0x30;
const CONTEXT_0 = 0xa0;

/** Where an element of some DER stands: what it holds is `from` its first byte up to `to`. */
interface Element {
  tag: number;
  start: number;
  from: number;
  to: number;
}

const MAX_CHAIN = 8;

/** The names of all certificates on these lists, in PEM. Errors: throws on what is no list. */
export function revokedIn(lists: readonly string[]): Set<string> {
  const revoked = new Set<string>();
  for (const list of lists) {
    const der = Buffer.from(list.replace(/-----[^-]+-----/g, ''), 'base64');
    // TBSCertList: version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, extensions?
    const [, issuer, ...others] = bodyOf(der).filter(({ tag }) => tag !== INTEGER);
    const hash = issuerOf(der, issuer);
    const entries = others.find(({ tag }) => tag === SEQUENCE);
    for (let at = entries?.from ?? 0; entries && at < entries.to; ) {
      const entry = elementAt(der, at, entries.to);
      revoked.add(nameOf(der, hash, elementAt(der, entry.from, entry.to)));
      at = entry.to;
    }
  }
  return revoked;
}

/** The names of a certificate and of those between it and its authority, as far as they were shown: a resumed session has its own alone. */
export function namesOf(certificate: X509Certificate): string[] {
  const names: string[] = [];
  for (let one: X509Certificate | undefined = certificate; one && names.length < MAX_CHAIN; one = one.issuerCertificate) {
    const der = one.raw;
    // TBSCertificate: version?, serialNumber, signature, issuer, …
    const [serial, , issuer] = bodyOf(der).filter(({ tag }) => tag !== CONTEXT_0);
    names.push(nameOf(der, issuerOf(der, issuer), serial!));
  }
  return names;
}

/** The elements of what is signed, which is the first element of a list or a certificate. */
function bodyOf(der: Buffer): Element[] {
  const whole = elementAt(der, 0, der.length);
  const signed = elementAt(der, whole.from, whole.to);
  const elements: Element[] = [];
  for (let at = signed.from; at < signed.to; at = elements.at(-1)!.to) elements.push(elementAt(der, at, signed.to));
  return elements;
}

function issuerOf(der: Buffer, name: Element | undefined): string {
  if (name?.tag !== SEQUENCE) throw new Error('not a revocation list or a certificate');
  return createHash('sha256').update(der.subarray(name.start, name.to)).digest('base64');
}

/** A serial number is one of its issuer's. */
function nameOf(der: Buffer, issuer: string, serial: Element): string {
  return `${issuer} ${der.toString('hex', serial.from, serial.to)}`;
}

/** The element that begins at `start` (X.690, 8.1) and has to end by `end`. Errors: throws where it does not. */
function elementAt(der: Buffer, start: number, end: number): Element {
  const tag = der.readUInt8(start);
  let [length, from] = [der.readUInt8(start + 1), start + 2];
  if (length >= 0x80) {
    const bytes = length & 0x7f;
    length = der.readUIntBE(from, bytes);
    from += bytes;
  }
  const to = from + length;
  if (to > end) throw new RangeError('an element is cut short');
  return { tag, start, from, to };
}
