import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Parser } from '@asyncapi/parser';
import { describe, expect, it } from 'vitest';
import { fromJSONSchema } from 'zod';
import { asyncapi } from '../../protocol/asyncapi.ts';
import { decodePayload } from '../../protocol/codec/decode.ts';
import { command } from '../../protocol/schemas/messages.ts';
import { CHANNELS, type Channel, isUpChannel } from '../../protocol/topics.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const committed = () => readFileSync(`${ROOT}docs/asyncapi.json`, 'utf8');

interface Message {
  payload: { anyOf?: object[] };
  examples: { name: string; payload: unknown }[];
}
const messages = (asyncapi().components as unknown as { messages: Record<Channel, Message> }).messages;
const schemas = (asyncapi().components as { schemas: Record<Channel, object> }).schemas;

/** The payload's schema, with its references to components put in place. */
function jsonSchemaOf(channel: Channel) {
  const { anyOf } = messages[channel].payload;
  return fromJSONSchema((anyOf ? { anyOf: [schemas[channel], anyOf[1]] } : schemas[channel]) as Parameters<typeof fromJSONSchema>[0]);
}

const examples = Object.entries(messages).flatMap(([channel, m]) => m.examples.map((e) => ({ channel, ...e })));

describe('docs/asyncapi.json', () => {
  it('is what the schemas say now', () => {
    expect(JSON.parse(committed())).toEqual(asyncapi());
    execFileSync('npx', ['--no-install', 'tsx', 'scripts/generate.ts', '--check'], { cwd: ROOT, stdio: 'pipe' });
  }, 60_000);

  it('is a valid AsyncAPI document', async () => {
    const { document, diagnostics } = await new Parser().parse(committed());
    expect(diagnostics.filter((d) => d.severity < 2).map((d) => `${d.path.join('.')}: ${d.message}`)).toEqual([]);
    expect(document?.operations().all().length).toBe(Object.keys(CHANNELS).length);
  }, 60_000);

  it.each(['"action": "sing"', '"$ref": "#/components/messages/none"'])(
    'would not be valid with %s in it',
    async (mistake) => {
      const original = mistake.startsWith('"action"') ? '"action": "send"' : '"$ref": "#/components/messages/ack"';
      const { diagnostics } = await new Parser().parse(committed().replace(original, mistake));
      expect(diagnostics.some((d) => d.severity < 2)).toBe(true);
    },
    60_000,
  );

  it.each(examples)(
    'has an example of $channel, $name, that fits its own JSON Schema, and would not without its version',
    ({ channel, payload }) => {
      const schema = jsonSchemaOf(channel as Channel);
      expect(schema.safeParse(payload).error).toBeUndefined();
      expect(schema.safeParse({ ...(payload as object), v: 'one' }).success).toBe(false);
    },
  );

  it.each(examples)('has an example of $channel, $name, that is accepted', ({ channel, payload }) => {
    if (!isUpChannel(channel)) return expect(command.safeParse(payload).success).toBe(true);
    expect(decodePayload(channel, Buffer.from(JSON.stringify(payload)))).toMatchObject({ ok: true });
  });

  it('says what every number means, and in which unit', () => {
    const silent: string[] = [];
    const walk = (name: string, node: unknown) => {
      if (typeof node !== 'object' || node === null) return;
      const { type, description, properties, items } = node as Record<string, unknown>;
      if ((type === 'number' || type === 'integer') && description === undefined) silent.push(name);
      for (const [member, schema] of Object.entries(properties ?? {})) walk(member, schema);
      if (items) walk(name, items);
    };
    for (const schema of Object.values(schemas)) walk('message', schema);
    expect(silent).toEqual([]);
  });
});
