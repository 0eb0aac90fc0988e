/**
 * Tests that mostly wait, for another process or for real time, go on side by side, five at most:
 * `test.concurrent(title, sideBySide(async () => …))`, and `test.concurrent.for(cases)(title, sideBySide(async (one) => …))`.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { type TestContext, onTestFinished as whenTheOneTestHasFinished } from 'vitest';

const contexts = new AsyncLocalStorage<TestContext>();

/** As vitest's own, of whichever test calls it: that takes tests one after the other for granted. */
export function onTestFinished(done: () => unknown): void {
  const register = contexts.getStore()?.onTestFinished ?? whenTheOneTestHasFinished;
  register(async () => void (await done()));
}

/** A test's function, as vitest takes it; `play` gets the case, where there is one. */
export function sideBySide<Case = undefined>(play: (one: Case) => Promise<void>) {
  return (...given: [TestContext] | [Case, TestContext]): Promise<void> => {
    const context = given.at(-1) as TestContext;
    return contexts.run(context, () => play((given.length > 1 ? given[0] : undefined) as Case));
  };
}
