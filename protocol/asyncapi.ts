import * as z from 'zod/mini';
import { COLUMNS } from './codec/columnar.ts';
import { MAX_INFLATED_BYTES, MAX_WIRE_BYTES } from './codec/limits.ts';
import { EXAMPLES } from './examples.ts';
import { MEANINGS } from './meanings.ts';
import { command, MAX_SAMPLES, upSchemas } from './schemas/messages.ts';
import { ACQUIRER_PATTERN, CHANNELS, type Channel, SN_PATTERN, topicOf } from './topics.ts';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

const SUMMARIES: Readonly<Record<Channel, string>> = {
  birth: 'After every connect: which session this is, who the terminal is, and what it will report.',
  report: 'Samples, one or a batch, every interval.',
  event: 'What cannot wait for the next report.',
  state: 'Online, goodbye before a clean end, or lost: the Will, which the broker publishes.',
  cmd: 'A command to this terminal.',
  ack: 'What became of a command.',
};

const schemas = { ...upSchemas, cmd: command } satisfies Record<Channel, z.ZodMiniType>;
const channels = Object.keys(CHANNELS) as Channel[];

/**
 * The AsyncAPI 3.0 document of what a terminal sends and receives, built from the topics, schemas and examples. JSON Schema cannot say
 * all that the schemas check (time zones, opening hours): such members are described in words.
 */
export function asyncapi(): JsonObject {
  return {
    asyncapi: '3.0.0',
    info: { title: 'Tillwatch: terminals over MQTT', version: '1.0.0', license: { name: 'MIT' }, description: DESCRIPTION },
    defaultContentType: 'application/json',
    servers: {
      plain: server('mqtt', 'localhost:1883', 'For a loopback address, or behind something that ends TLS.'),
      tls: server('mqtts', 'localhost:8883', 'MQTT 3.1.1 over TLS.'),
    },
    channels: fromChannels(channelObject),
    operations: fromChannels(operation),
    components: {
      messages: fromChannels(message),
      schemas: fromChannels((c) => described(jsonSchema(schemas[c]))),
      securitySchemes: {
        token: {
          type: 'userPassword',
          description:
            'User name {acquirer}/{sn}, password the token that `tillwatch enroll` prints, client id {sn}. Refused: CONNACK 4 or 5.',
        },
      },
    },
  };
}

const DESCRIPTION = `One JSON object in UTF-8 a message, at most ${MAX_WIRE_BYTES} bytes on the wire; or the same deflated (zlib), at most \
${MAX_INFLATED_BYTES} bytes inflated. Members that are not described are left out and never refused; a missing required member, a wrong \
type or an impossible value puts the message into quarantine. Times are epoch milliseconds of the terminal's clock. What a modem marks \
as unknown is absent, never a number. A PUBACK means that the message is durable.`;

function fromChannels(make: (channel: Channel) => JsonObject): JsonObject {
  return Object.fromEntries(channels.map((c) => [c, make(c)]));
}

function server(protocol: string, host: string, description: string): JsonObject {
  return { host, protocol, protocolVersion: '3.1.1', description, security: [{ $ref: '#/components/securitySchemes/token' }] };
}

function channelObject(channel: Channel): JsonObject {
  return {
    address: topicOf({ acquirer: '{acquirer}', sn: '{sn}', channel }),
    description: SUMMARIES[channel],
    parameters: {
      acquirer: { description: `The acquirer's code, ${ACQUIRER_PATTERN.source}`, examples: ['acme'] },
      sn: { description: `The terminal's serial number, ${SN_PATTERN.source}`, examples: ['SN000001'] },
    },
    messages: { [channel]: { $ref: `#/components/messages/${channel}` } },
  };
}

function operation(channel: Channel): JsonObject {
  const { way, retained } = CHANNELS[channel];
  return {
    action: way === 'up' ? 'send' : 'receive',
    channel: { $ref: `#/channels/${channel}` },
    summary: SUMMARIES[channel],
    messages: [{ $ref: `#/channels/${channel}/messages/${channel}` }],
    bindings: { mqtt: { qos: 1, retain: retained } },
  };
}

function message(channel: Channel): JsonObject {
  return {
    name: channel,
    summary: SUMMARIES[channel],
    payload: channel === 'report' ? reportPayload() : { $ref: `#/components/schemas/${channel}` },
    examples: EXAMPLES[channel] as unknown as Json,
  };
}

/** A report comes plain or in columns (codec/columnar.ts); the second form is made from the first. */
function reportPayload(): JsonObject {
  const plain = described(jsonSchema(schemas.report));
  const { samples, ...head } = plain.properties as JsonObject;
  const sample = (samples as JsonObject).items as JsonObject;
  const columns = [...COLUMNS].map(([name, path]) => [
    name,
    { type: 'array', items: { anyOf: [memberAt(sample, path), { type: 'null' }] } },
  ]);
  const properties = {
    ...head,
    at: { type: 'array', minItems: 1, maxItems: MAX_SAMPLES, items: memberAt(sample, ['at']), description: 'The time of each sample.' },
    cols: { type: 'object', description: 'One array a member, as long as `at`.', properties: Object.fromEntries(columns) },
  };
  const columnar = { type: 'object', description: 'Samples in columns.', required: ['v', 'session', 'seq', 'at', 'cols'], properties };
  return { anyOf: [{ $ref: '#/components/schemas/report' }, columnar] };
}

function memberAt(schema: JsonObject, path: readonly string[]): Json {
  return path.reduce<JsonObject>((at, name) => (at.properties as JsonObject)[name] as JsonObject, schema);
}

function jsonSchema(schema: z.ZodMiniType): JsonObject {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input', unrepresentable: 'any' });
  return rest as JsonObject;
}

/** The schema with the meaning and unit of each member that has one. */
function described(schema: JsonObject): JsonObject {
  const properties = schema.properties as JsonObject | undefined;
  const items = schema.items as JsonObject | undefined;
  return {
    ...schema,
    ...(items ? { items: described(items) } : {}),
    ...(properties
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, p]) => [name, member(name, p as JsonObject)])) }
      : {}),
  };
}

function member(name: string, schema: JsonObject): JsonObject {
  const description = MEANINGS[name];
  return { ...described(schema), ...(description ? { description } : {}) };
}
