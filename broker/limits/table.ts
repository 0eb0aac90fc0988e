/** Every limit of the broker: how much, of what, and what it does. docs/limits.md is made from it. */
import { MAX_WIRE_BYTES } from '../../protocol/codec/limits.ts';
import { MAX_FRAME_BYTES } from '../front/frames.ts';
import type { RefusalReason } from '../refusals.ts';

interface Limit {
  default: number;
  unit: string;
  /** What happens at the limit. */
  does: string;
  /** Where an operator may need another value; 0 is none. */
  setting?: `TILLWATCH_MAX_${string}`;
  /** The refusals that count it; without one, it is counted each time that it makes somebody wait or lose something. */
  refusal?: RefusalReason;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const LIMITS = {
  packet_bytes: {
    default: MAX_FRAME_BYTES,
    unit: `bytes of a packet, its first byte and length aside; ${MAX_WIRE_BYTES} of them payload`,
    does: 'the connection ends as the length is read, and no body is gathered; one whose payload alone is too long gets no PUBACK',
    refusal: 'oversized',
  },
  connections: {
    default: 20_000,
    unit: 'open connections',
    does: 'one more is closed at once',
    setting: 'TILLWATCH_MAX_CONNECTIONS',
    refusal: 'too_many_connections',
  },
  connects: {
    default: 1_000,
    unit: 'CONNECTs a second',
    does: 'further ones wait for their turn, in order, and are then answered',
    setting: 'TILLWATCH_MAX_CONNECTS_PER_SECOND',
  },
  address_failures: {
    default: 60,
    unit: 'log-ins a minute from one address (IPv6: one /64) with a token that we did not sign',
    does: 'CONNACK 3 to all from there, whatever their credentials, until it has fallen again; open connections stay',
    setting: 'TILLWATCH_MAX_ADDRESS_FAILURES_PER_MINUTE',
    refusal: 'failing_address',
  },
  identity_failures: {
    default: 10,
    unit: 'log-ins a minute under one user name with a token that we did not sign',
    does: 'CONNACK 3 to those under it from addresses that failed lately; from any other the right token is let in',
    setting: 'TILLWATCH_MAX_IDENTITY_FAILURES_PER_MINUTE',
    refusal: 'failing_identity',
  },
  terminal_packets: {
    default: 1_000,
    unit: 'MQTT packets a second of one terminal',
    does: 'no more of it is read until it is within the limit; nothing is dropped',
    setting: 'TILLWATCH_MAX_TERMINAL_PACKETS_PER_SECOND',
  },
  acquirer_packets: {
    default: 0,
    unit: 'MQTT packets a second of all terminals of one acquirer',
    does: 'no more of them is read until it is within the limit, and then of each in turn; nothing is dropped',
    setting: 'TILLWATCH_MAX_ACQUIRER_PACKETS_PER_SECOND',
  },
  unacknowledged_bytes: {
    default: 256 * KIB,
    unit: 'bytes of one connection that wait for the log',
    does: 'no more of it is read until they are durable',
  },
  pending_bytes: {
    default: 128 * MIB,
    unit: 'bytes of all that wait for the log',
    does: 'no more is read of an acquirer of whom more waits than there is room left; at three times the room a connection that cannot be made to wait ends without a PUBACK',
  },
  log_seconds: {
    default: 10,
    unit: 'seconds that the log takes for a heartbeat',
    does: 'PUBACKs wait, and CONNACK 3 to new log-ins until the log has taken it; a log that fails or is full does the same at once',
    refusal: 'log_unavailable',
  },
  topic_levels: {
    default: 10,
    unit: 'levels of a topic or filter',
    does: 'the connection ends',
    refusal: 'too_many_levels',
  },
  subscriptions: {
    default: 100,
    unit: 'filters of one connection',
    does: 'SUBACK 128 for one more',
    refusal: 'too_many_subscriptions',
  },
  commands: {
    default: 100,
    unit: 'commands without a PUBACK that are kept for a terminal whose session outlives its connection',
    does: 'a further one is not sent',
  },
  tool_backlog_bytes: {
    default: 256 * KIB,
    unit: 'bytes that wait for a monitoring tool to read them',
    does: 'it loses what comes then; terminals are not held up',
  },
  early_bytes: {
    default: 64 * KIB,
    unit: 'bytes of a client behind its CONNECT and before its CONNACK',
    does: 'no more of it is read until it is let in',
  },
  will_bytes: {
    default: 4 * KIB,
    unit: 'bytes of a Will, which is held as long as its connection',
    does: 'CONNACK 5',
    refusal: 'long_will',
  },
  kept_state_bytes: {
    default: 4 * KIB,
    unit: 'bytes of a `state` that is kept for those who subscribe later',
    does: 'a longer one is taken into the log, and not kept',
  },
  unreleased: {
    default: 100,
    unit: 'QoS 2 messages of one client before their PUBREL, in all its connections',
    does: 'the connection ends',
    refusal: 'too_many_unreleased',
  },
  connect_seconds: {
    default: 10,
    unit: 'seconds until the CONNECT has come',
    does: 'the connection ends',
    refusal: 'connect_timeout',
  },
  drain_seconds: {
    default: 10,
    unit: 'seconds in which a client does not read what it is sent',
    does: 'the connection ends',
    refusal: 'slow_reader',
  },
} as const satisfies Record<string, Limit>;

export type LimitName = keyof typeof LIMITS;
export type LimitValues = Record<LimitName, number>;

export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[];

export function limitValues(others: Partial<LimitValues> = {}): LimitValues {
  const defaults = Object.fromEntries(LIMIT_NAMES.map((name) => [name, LIMITS[name].default])) as LimitValues;
  return { ...defaults, ...others };
}
