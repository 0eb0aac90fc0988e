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
const NOTHING = Buffer.alloc(0);

interface Element {
  tag: number;
  /** From its tag on, and what it holds. */
  whole: Buffer;
  content: Buffer;
}

const MAX_CHAIN = 8;

/** The names of all certificates on these lists, in PEM. Errors: throws on what is no list. */
export function revokedIn(lists: readonly string[]): Set<string> {
  const revoked = new Set<string>();
  for (const list of lists) {
    const { issuer, entries } = readList(Buffer.from(list.replace(/-----[^-]+-----/g, ''), 'base64'));
    for (const entry of elementsOf(entries)) revoked.add(nameOf(issuer, firstOf(entry.content).content));
  }
  return revoked;
}

/** The names of a certificate and of those between it and its authority, as far as they were shown: a resumed session has its own alone. */
export function namesOf(certificate: X509Certificate): string[] {
  const names: string[] = [];
  for (let one: X509Certificate | undefined = certificate; one && names.length < MAX_CHAIN; one = one.issuerCertificate) {
    const [serial, , issuer] = elementsIn(firstOf(firstOf(one.raw).content).content).filter(({ tag }) => tag !== CONTEXT_0);
    names.push(nameOf(issuerOf(issuer), serial!.content));
  }
  return names;
}

/** TBSCertList: version?, signature, issuer, thisUpdate, nextUpdate?, revokedCertificates?, extensions? */
function readList(der: Buffer): { issuer: string; entries: Buffer } {
  const [, issuer, ...others] = elementsIn(firstOf(firstOf(der).content).content).filter(({ tag }) => tag !== INTEGER);
  return { issuer: issuerOf(issuer), entries: others.find(({ tag }) => tag === SEQUENCE)?.content ?? NOTHING };
}

function issuerOf(name: Element | undefined): string {
  if (name?.tag !== SEQUENCE) throw new Error('not a revocation list or a certificate');
  return createHash('sha256').update(name.whole).digest('base64');
}

/** A serial number is one of its issuer's. */
function nameOf(issuer: string, serial: Buffer): string {
  return `${issuer} ${serial.toString('hex')}`;
}

function firstOf(der: Buffer): Element {
  const first = elementsOf(der).next().value;
  if (!first) throw new Error('not a revocation list or a certificate');
  return first;
}

function elementsIn(der: Buffer): Element[] {
  return [...elementsOf(der)];
}

/** The elements that stand one after the other in DER (X.690, 8.1). Errors: throws where one is cut short. */
function* elementsOf(der: Buffer): Generator<Element, undefined> {
  for (let at = 0; at < der.length; ) {
    const start = at;
    const tag = der.readUInt8(at++);
    let length = der.readUInt8(at++);
    if (length >= 0x80) {
      const bytes = length & 0x7f;
      length = der.readUIntBE(at, bytes);
      at += bytes;
    }
    const end = at + length;
    if (end > der.length) throw new RangeError('an element is cut short');
    yield { tag, whole: der.subarray(start, end), content: der.subarray(at, end) };
    at = end;
  }
  return undefined;
}
