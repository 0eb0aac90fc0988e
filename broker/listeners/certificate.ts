/** A terminal's certificate as a way to log in: O is its acquirer, CN its serial number. */
import type { TLSSocket } from 'node:tls';
import { namesOf } from './revocation-list.ts';

/** What a client showed. `ok: false`: it is not good, for a reason in OpenSSL's words. */
export type ClientCertificate =
  | {
      ok: true;
      user: string;
      /** Its notBefore and notAfter, epoch milliseconds. */
      issued: number;
      expires: number;
      /** As revocation lists name it and those between it and its authority. */
      names: readonly string[];
    }
  | { ok: false; reason: 'expired' | 'revoked' | 'bad_certificate'; detail: string };

const REASONS: Record<string, 'expired' | 'revoked' | undefined> = { CERT_HAS_EXPIRED: 'expired', CERT_REVOKED: 'revoked' };

/** Undefined where the client showed none: it may log in by a token. */
export function certificateOf(socket: TLSSocket): ClientCertificate | undefined {
  const shown = socket.getPeerCertificate();
  if (shown?.subject === undefined) return undefined;
  if (!socket.authorized) {
    const problem = String(socket.authorizationError);
    return { ok: false, reason: REASONS[problem] ?? 'bad_certificate', detail: problem };
  }
  // A name that is given twice is an array here.
  const { O, CN } = shown.subject as { O?: unknown; CN?: unknown };
  if (typeof O !== 'string' || typeof CN !== 'string') return { ok: false, reason: 'bad_certificate', detail: 'not one O and one CN' };
  try {
    const names = namesOf(socket.getPeerX509Certificate()!);
    return { ok: true, user: `${O}/${CN}`, issued: Date.parse(shown.valid_from), expires: Date.parse(shown.valid_to), names };
  } catch (error) {
    return { ok: false, reason: 'bad_certificate', detail: (error as Error).message };
  }
}
