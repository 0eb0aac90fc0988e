export const BROKER_ERRORS = {
  address_taken: 'another program listens on the MQTT address: stop it, or choose another address with TILLWATCH_MQTT_LISTEN',
  address_unusable: 'the MQTT address cannot be listened on: correct TILLWATCH_MQTT_LISTEN',
  tls_files: 'the certificate or its key cannot be used: check both PEM files and who may read them',
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
