/**
 * The rules document: the numbers that differ from the defaults, by alert type.
 *
 *     {"quota.terminals":{"approachingPercent":75},"terminal.offline":{"criticalAfterMinutes":30}}
 */
import type { Checked } from '../../protocol/registry.ts';
import { DEFAULT_RULES, type Rules } from './defaults.ts';

/** The rules that a document leads to, or everything that is wrong with it. */
export function readRules(document: unknown): Checked<Rules> {
  const problems: string[] = [];
  const rules = structuredCopy(DEFAULT_RULES);
  if (!isObject(document)) return { ok: false, problems: ['the rules are not a JSON object'] };
  for (const [type, numbers] of Object.entries(document)) {
    const known = Object.hasOwn(rules, type) ? (rules[type as keyof Rules] as Record<string, number>) : undefined;
    if (!known) problems.push(`${type}: no such watch: there are ${Object.keys(rules).join(', ')}`);
    else if (!isObject(numbers)) problems.push(`${type}: not an object of numbers`);
    else setNumbers(type, known, numbers, problems);
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: rules };
}

function setNumbers(type: string, known: Record<string, number>, numbers: Record<string, unknown>, problems: string[]): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Object.hasOwn(known, name)) problems.push(`${type}.${name}: no such number: there are ${Object.keys(known).join(', ')}`);
    else if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) problems.push(`${type}.${name}: not a number from 0`);
    else known[name] = value;
  }
}

function structuredCopy(rules: Rules): Rules {
  return JSON.parse(JSON.stringify(rules));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
