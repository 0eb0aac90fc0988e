/** Secrets that deliveries are signed with, as Standard Webhooks 1.0 writes them: `whsec_` and 24 to 64 bytes in base64. */

const PREFIX = 'whsec_';
const MIN_BYTES = 24;
const MAX_BYTES = 64;
const NEW_BYTES = 32;

export function newSecret(random: (bytes: number) => Buffer): string {
  return PREFIX + random(NEW_BYTES).toString('base64');
}

/**
 * The key that a secret stands for, or what is wrong with it. Base64 in its one spelling alone: of another one, receivers' libraries
 * make other keys, or none. The problem never quotes the secret.
 */
export function readSecret(text: string): { ok: true; key: Buffer } | { ok: false; problem: string } {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : '';
  const key = Buffer.from(encoded, 'base64');
  if (encoded === '' || key.toString('base64') !== encoded) return { ok: false, problem: `a secret is ${PREFIX} and base64` };
  if (key.length >= MIN_BYTES && key.length <= MAX_BYTES) return { ok: true, key };
  const length = `a secret has ${MIN_BYTES} to ${MAX_BYTES} bytes, and this one has ${key.length}`;
  return { ok: false, problem: `${length}: leave it out, and one is made` };
}
