import { readFileSync } from 'node:fs';
import type { Rules } from '../watch/rules/defaults.ts';
import { readRules } from '../watch/rules/document.ts';
import { unreadable } from './io.ts';

/** A rules document from its file, and the rules that it leads to. */
export interface RulesFile {
  document: Record<string, unknown>;
  rules: Rules;
}

/** Everything that is wrong with the file is named at once. */
export function readRulesFile(path: string): { ok: true; value: RulesFile } | { ok: false; problems: string[] } {
  let document: unknown;
  try {
    document = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return {
      ok: false,
      problems: [error instanceof SyntaxError ? `${path} is not JSON: ${error.message}` : unreadable(path, error).message],
    };
  }
  const read = readRules(document);
  if (!read.ok) return { ok: false, problems: read.problems.map((problem) => `${path}: ${problem}`) };
  return { ok: true, value: { document: document as Record<string, unknown>, rules: read.value } };
}
