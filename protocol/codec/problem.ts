import type * as z from 'zod/mini';

type Issue = z.core.$ZodIssue;

const MAX_DETAIL_CHARACTERS = 500;
const MAX_ISSUES = 5;

/**
 * What a schema found wrong, for people, at most 500 characters: `samples.0.at: expected number; seq: missing`. It names members of
 * the schema and never what the sender wrote: a value, or the key of a free record, might hold a card number.
 */
export function describeIssues(issues: readonly Issue[]): string {
  const named = issues.slice(0, MAX_ISSUES).map(describeIssue);
  if (issues.length > MAX_ISSUES) named.push(`and ${issues.length - MAX_ISSUES} more`);
  return named.join('; ').slice(0, MAX_DETAIL_CHARACTERS);
}

/** One finding, such as `samples.0.at: expected number`. */
export function describeIssue(issue: Issue): string {
  const path = issue.code === 'invalid_key' ? issue.path.slice(0, -1) : issue.path;
  return `${path.join('.') || 'message'}: ${explain(issue)}`;
}

function explain(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected === 'int' ? 'whole number' : issue.expected}`;
    case 'invalid_value':
      return `expected ${issue.values.map((v) => JSON.stringify(v)).join(' or ')}`;
    case 'too_big':
      return `expected at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'too_small':
      return `expected at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'invalid_key':
      return 'has a member that it may not have';
    case 'custom':
      return issue.message;
    case 'invalid_format':
      return issue.message === UNNAMED ? `expected the form ${issue.pattern ?? issue.format}` : issue.message;
    default:
      return 'is none of the forms that it may have';
  }
}

/** What zod/mini says where a check brings no message of its own: it comes without a language. */
const UNNAMED = 'Invalid input';

function unitOf(origin: string): string {
  return origin === 'string' ? ' characters' : origin === 'array' ? ' items' : '';
}
