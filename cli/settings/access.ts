/** The settings of a server elsewhere: its address, and a token that it takes. */
import type { Reader } from './reader.ts';

interface Names {
  url: string;
  token: string;
  example: string;
  /** Which token is wanted. */
  wanted: string;
}

/** Undefined where no address is set. */
export function readAccess({ text, problems }: Reader, names: Names): { url: string; token: string } | undefined {
  const url = text(names.url);
  if (url === '') return undefined;
  const problem = urlProblem(url, names);
  if (problem) problems.push(`${names.url}: ${problem}`);
  const token = text(names.token);
  if (token === '')
    problems.push(`${names.token}: missing, and ${names.url} is set: give ${names.wanted}, or its file in ${names.token}_FILE`);
  return { url, token };
}

/** An address is shown to people, so it must hold no secret. */
function urlProblem(url: string, { token, example }: Names): string | undefined {
  const form = `not an http or https address, such as ${example}`;
  if (!URL.canParse(url)) return form;
  const { protocol, username, password } = new URL(url);
  if (username || password) return `without a user or a password: give ${token}`;
  return /^https?:$/.test(protocol) ? undefined : form;
}
