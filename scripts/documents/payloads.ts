import { asyncapi, type Json } from '../../protocol/asyncapi.ts';
import { table } from './markdown.ts';

type Schema = Record<string, Json>;

/** docs/payloads.md, from the document of the channels (docs/asyncapi.json). */
export function payloadsPage(): string {
  const { channels, operations, components } = asyncapi() as Record<string, Schema>;
  const schemas = components!.schemas as Record<string, Schema>;
  const messages = components!.messages as Record<string, { examples: { name: string; summary: string; payload: Json }[] }>;
  const sections = Object.entries(channels!).map(([name, channel]) => {
    const { address, description } = channel as { address: string; description: string };
    const { action, bindings } = operations![name] as { action: string; bindings: { mqtt: { qos: number; retain: boolean } } };
    const way = action === 'send' ? 'up' : 'down';
    const { qos, retain } = bindings.mqtt;
    const examples = messages[name]!.examples.map(({ summary, payload }) => `${summary}:\n\n    ${JSON.stringify(payload)}`);
    return `## ${name}

\`${address}\`, ${way}, QoS ${qos}${retain ? ', retained' : ''}. ${description}

${table(['member', 'type', 'what it is'], membersOf(schemas[name]!, ''))}

${examples.join('\n\n')}`;
  });
  return `<!-- Generated from the code: npm run generate -->
# What does a payload look like?

One JSON object in UTF-8 a message, or the same deflated. [reporting.md](reporting.md) tells how a terminal connects, and when it sends
what; [asyncapi.json](asyncapi.json) is the same as this page for programs. Members in bold are required. A batch of samples may come in
columns: \`{"at":[…],"cols":{"signal.rsrp":[…], …}}\` in place of \`samples\`.

${sections.join('\n\n')}
`;
}

function membersOf(schema: Schema, path: string): string[][] {
  const required = new Set((schema.required as string[] | undefined) ?? []);
  return Object.entries((schema.properties as Record<string, Schema> | undefined) ?? {}).flatMap(([name, member]) => {
    const full = path + name;
    const cell = required.has(name) ? `**${full}**` : full;
    const inner = member.type === 'array' ? (member.items as Schema) : member;
    const mark = member.type === 'array' ? '[].' : '.';
    return [[cell, typeOf(member), (member.description as string | undefined) ?? ''], ...membersOf(inner, full + mark)];
  });
}

/** A schema in a few words: `integer, 0 to 100`, `"a", "b"`, `array of objects`. */
function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return (schema.enum as Json[]).map((value) => `\`${JSON.stringify(value)}\``).join(', ');
  if (schema.anyOf) return (schema.anyOf as Schema[]).map(typeOf).join(' or ');
  if (schema.type === 'array') return `array of ${typeOf(schema.items as Schema)}${rangeOf(schema.minItems, schema.maxItems, ' items')}`;
  const { type, minimum, maximum, minLength, maxLength, pattern, default: value } = schema;
  const form = pattern === undefined ? '' : `, \`${pattern}\``;
  const range = type === 'string' ? rangeOf(minLength, maxLength, ' characters') : rangeOf(minimum, maximum);
  return `${type ?? 'anything'}${range}${form}${value === undefined ? '' : `, default ${JSON.stringify(value)}`}`;
}

/** Bounds that say something: the greatest safe integer and the end of the year 9999 do not. */
function rangeOf(least: Json | undefined, most: Json | undefined, unit = ''): string {
  const bounded = typeof most === 'number' && most < 1e12;
  if (bounded && least === most) return `, ${most}${unit}`;
  if (typeof least === 'number') return bounded ? `, ${least} to ${most}${unit}` : `, from ${least}${unit}`;
  return bounded ? `, up to ${most}${unit}` : '';
}
