/** Where the broker listens. */
export interface BrokerAddress {
  tls: boolean;
  host: string;
  port: number;
}

const PORTS: Record<string, number> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** Reads `mqtt://host:port` or `mqtts://host:port` (the ports default to 1883 and 8883). Undefined for anything else. */
export function parseBrokerUrl(text: string): BrokerAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(text);
  const usual = PORTS[protocol];
  if (usual === undefined || hostname === '' || username || password || search || hash || !['', '/'].includes(pathname)) return undefined;
  return { tls: protocol === 'mqtts:', host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? usual : Number(port) };
}

export function brokerUrl({ tls, host, port }: BrokerAddress): string {
  return `${tls ? 'mqtts' : 'mqtt'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
