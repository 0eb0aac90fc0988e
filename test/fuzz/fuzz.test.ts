/** Whatever may come in, in numbers. The same cases each time, unless another seed is given. */
import { describe, expect, it } from 'vitest';
import { CASES, CASES_IN_CI, createBudget } from './budget.ts';
import { fuzzConnections } from './connections.ts';
import { fuzzPayloads } from './payloads.ts';
import { fuzzTopics } from './topics.ts';

const TIMEOUT = 300_000 + 5 * CASES;
const budget = createBudget();

describe('whatever comes', () => {
  fuzzPayloads(budget, TIMEOUT);
  fuzzTopics(budget, TIMEOUT);
  fuzzConnections(budget, TIMEOUT);
});

it('as many cases were played as promised', () => {
  expect(budget.total()).toBeGreaterThanOrEqual(process.env.CI === 'true' ? CASES_IN_CI : CASES);
});
