import ipaddr from 'ipaddr.js';
import mqtt from 'mqtt-packet';

const SIGNATURE = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]);

/** What a balancer writes for a client at `address`; a command of 0x21 says PROXY, 0x20 LOCAL. `more`: after the addresses. */
export function v2Header(address: string, { command = 0x21, family, more = Buffer.alloc(0) }: V2Parts = {}): Buffer {
  const source = Buffer.from(ipaddr.parse(address).toByteArray());
  const ports = Buffer.from([0xdc, 0x04, 0x07, 0x5b]);
  const body = Buffer.concat([source, Buffer.alloc(source.length, 1), ports, more]);
  const head = Buffer.from([command, family ?? (source.length === 4 ? 0x11 : 0x21), body.length >> 8, body.length & 0xff]);
  return Buffer.concat([SIGNATURE, head, body]);
}

interface V2Parts {
  command?: number;
  family?: number;
  more?: Buffer;
}

/** The CONNECT of a terminal. */
export function connectPacket(user: string, token: string): Buffer {
  const clientId = user.split('/')[1]!;
  const login = { clientId, username: user, password: Buffer.from(token) };
  return mqtt.generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60, ...login });
}

export function reportPacket(topic: string, id: number, payload: string): Buffer {
  return mqtt.generate({ cmd: 'publish', topic, payload, qos: 1, messageId: id, dup: false, retain: false });
}
