import type { Sample } from '../../protocol/schemas/sample.ts';

type Fields = Record<string, number | string | boolean>;

/**
 * A sample's members as the fields of a point, their path joined by `_`: `signal_rsrp`, `bindings_terminals_bound`,
 * `radio_secondsByRat_lte`. `at` is the point's time and `outcomes` are points of their own.
 */
export function flattenSample({ at: _at, outcomes: _outcomes, ...members }: Sample): Fields {
  const fields: Fields = {};
  flatten(members, '', fields);
  return fields;
}

function flatten(value: Record<string, unknown>, prefix: string, fields: Fields): void {
  for (const name in value) {
    const member = value[name];
    if (member === undefined || member === null) continue;
    if (typeof member === 'object') flatten(member as Record<string, unknown>, `${prefix}${name}_`, fields);
    else fields[prefix + name] = member as number | string | boolean;
  }
}
