/** What a terminal of a measurement sends: MQTT 3.1.1, QoS 1, the same bytes to every broker. */

export const CONNACK = 2;
export const PUBACK = 4;

const CONNECT_BYTE = 0x10;
const PUBLISH_BYTE = 0x32;
const RETAIN_BIT = 1;
/** Clean session, user name and password; a keepalive of 600 s. */
const CONNECT_HEAD = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 0xc2, 0x02, 0x58]);
const ULID_ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TERMINALS_A_MERCHANT = 10;

export const ACQUIRER = 'acme';

export function serialOf(number: number): string {
  return `PX7${10_000_000 + number}`;
}

export function merchantOf(number: number): string {
  return `m-${Math.floor(number / TERMINALS_A_MERCHANT)}`;
}

export function siteOf(number: number): string {
  return `s-${Math.floor(number / (TERMINALS_A_MERCHANT / 2))}`;
}

export function topicOf(number: number, channel: 'birth' | 'report'): Buffer {
  return Buffer.from(`pos/v1/${ACQUIRER}/${serialOf(number)}/${channel}`);
}

export function connectPacket(clientId: string, user: string, password: string): Buffer {
  const fields = [clientId, user, password].map((text) => {
    const field = Buffer.alloc(2 + text.length);
    field.writeUInt16BE(text.length);
    field.write(text, 2, 'latin1');
    return field;
  });
  const body = Buffer.concat([CONNECT_HEAD, ...fields]);
  return Buffer.concat([Buffer.from([CONNECT_BYTE, (body.length & 127) | 128, body.length >> 7]), body]);
}

/** `payload`: ASCII. `retain`: what a report must not have: a broker of ours clears it, and takes the message the long way. */
export function publishPacket(topic: Buffer, id: number, payload: string, retain = false): Buffer {
  const length = 2 + topic.length + 2 + payload.length;
  const packet = Buffer.allocUnsafe(3 + length);
  packet[0] = PUBLISH_BYTE | (retain ? RETAIN_BIT : 0);
  packet[1] = (length & 127) | 128;
  packet[2] = length >> 7;
  packet.writeUInt16BE(topic.length, 3);
  topic.copy(packet, 5);
  packet.writeUInt16BE(id, 5 + topic.length);
  packet.write(payload, 7 + topic.length, 'latin1');
  return packet;
}

export function sessionOf(number: number): string {
  let ulid = '01J';
  for (let k = 0; k < 23; k++) ulid += ULID_ALPHABET[(number * 7 + k * 13 + (number >> (k % 10))) & 31];
  return ulid;
}

export function birthPayload(number: number, at: number): string {
  return (
    `{"v":1,"session":"${sessionOf(number)}","at":${at},"merchant":"${merchantOf(number)}","site":"${siteOf(number)}",` +
    `"model":"A920","app":"3.4.1","interval":300,"keepalive":600,"use":"fixed","peripheralLimit":4}`
  );
}

/** A report of about 410 bytes, after `reportHead`; its numbers follow from the terminal's and its own. */
export function reportPayload(head: string, number: number, seq: number, at: number): string {
  const r = (seq * 31 + number * 17) >>> 0;
  return (
    `${head}${seq},"samples":[{"at":${at},"signal":{"rat":"lte","rsrp":-${90 + (r % 30)},"rsrq":-${8 + (r % 9)},"sinr":${r % 20},` +
    `"rssi":-${60 + (r % 25)},"mcc":"460","mnc":"00","lac":"9cba","cell":"76c6c"},"bindings":{"terminals":{"bound":${r % 10},"limit":10},` +
    `"peripherals":{"bound":${r % 4},"limit":4}},"outcomes":[{"system":"unionpay","code":"00","n":${1 + (r % 40)},"card":"debit",` +
    `"kind":"sale"}],"power":{"battery":0.${10 + (r % 90)},"mains":${r % 3 ? 'true' : 'false'}}}]}`
  );
}

export function reportHead(number: number): string {
  return `{"v":1,"session":"${sessionOf(number)}","seq":`;
}
