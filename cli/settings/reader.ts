/** Reads settings from the environment. It goes on after a mistake, so that all of them are found at once. */
import { readFileSync } from 'node:fs';
import { parseRanges, type Range } from '../../collector/webhooks/addresses.ts';
import { type Address, parseAddress } from '../address.ts';
import { type Setting, withoutPassword } from './setting.ts';

export type Env = Record<string, string | undefined>;

/** Ranges of addresses, as text and as read. */
export interface Ranges {
  text: string;
  ranges: Range[];
}

/** Each takes the name of a setting. What is wrong with a value becomes a problem, and what is returned then is of no use. */
export interface Reader {
  /** The variable, or the content of the file that its `_FILE` twin names, or the default. */
  text(name: string): string;
  address(name: string): Address;
  /** A whole number, at least 0 or `least`. */
  amount(name: string, least?: number): number;
  ranges(name: string): Ranges;
  /** A line for each mistake, that says what to do. */
  readonly problems: string[];
}

export function settingsReader(env: Env, settings: readonly Setting<never>[]): Reader {
  const problems: string[] = [];
  const text = (name: string) => textIn(settings.find((setting) => setting.name === name)!, env, problems);
  return {
    text,
    problems,
    address: (name) => addressIn(text(name), name, problems),
    amount: (name, least = 0) => amountIn(text(name), name, least, problems),
    ranges: (name) => rangesIn(text(name), name, problems),
  };
}

function textIn({ name, secret, default: otherwise }: Setting<never>, env: Env, problems: string[]): string {
  const file = secret ? env[`${name}_FILE`] : undefined;
  if (!file) return env[name] || otherwise;
  if (env[name]) problems.push(`${name} and ${name}_FILE are both set: choose one`);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE: ${file} cannot be read`);
    return '';
  }
}

function addressIn(text: string, name: string, problems: string[]): Address {
  const address = parseAddress(text);
  if (!address) problems.push(`${name}: "${withoutPassword(text)}" is not host:port, such as 127.0.0.1:1883`);
  return address ?? { host: '', port: 0 };
}

function amountIn(text: string, name: string, least: number, problems: string[]): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0) problems.push(`${name}: "${text}" is not a whole number`);
  else if (number < least) problems.push(`${name}: at least ${least}`);
  return number;
}

function rangesIn(text: string, name: string, problems: string[]): Ranges {
  const { ranges, bad } = parseRanges(text);
  for (const part of bad) problems.push(`${name}: "${part}" is not a range of addresses, such as 10.0.0.0/8`);
  return { text, ranges };
}
