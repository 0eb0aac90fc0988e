export const BROKER_ERRORS = {
  address_taken: 'another program listens there: stop it, or give another address',
  address_unusable: 'this address cannot be listened on: give another one',
  tls_files: 'the TLS files cannot be used: check that they are PEM, that key and certificate belong together, and who may read them',
  node_name: 'the name of this node may have 1 to 64 letters, digits, dots, dashes and underscores',
} as const;

/** Why a broker could not start; nothing changes by trying again with the same settings but for `address_taken`. */
export class BrokerError extends Error {
  readonly code: keyof typeof BROKER_ERRORS;
  readonly retry: boolean;

  constructor(code: keyof typeof BROKER_ERRORS, detail: string, options?: ErrorOptions) {
    super(`${BROKER_ERRORS[code]} (${detail})`, options);
    this.name = 'BrokerError';
    this.code = code;
    this.retry = code === 'address_taken';
  }
}
