/** What a fixed timeout for each terminal would have said, as users of a time-series alert set one: no hours, no Wills, no groups. */
import type { Transition } from '../../../protocol/alerts.ts';
import { parseTopic } from '../../../protocol/topics.ts';
import { subjectOf } from '../../../watch/alerts/lifecycle.ts';

/** Three reports of the usual interval, which is what such a rule is usually set to. */
const TIMEOUT_MS = 15 * 60_000;

export class Baseline {
  readonly #heardAt = new Map<string, number>();
  readonly said: Transition[] = [];

  /** Takes in a line of the replay format. */
  line(text: string): void {
    const { at, topic } = JSON.parse(text) as { at: number; topic?: string };
    const parsed = topic === undefined ? null : parseTopic(topic);
    if (!parsed) return;
    const key = `${parsed.acquirer}/${parsed.sn}`;
    const before = this.#heardAt.get(key);
    if (before !== undefined && at - before > TIMEOUT_MS) this.#fire(key, before + TIMEOUT_MS);
    this.#heardAt.set(key, at);
  }

  /** Those that are silent at the end. */
  finish(endAt: number): void {
    for (const [key, at] of this.#heardAt) if (endAt - at > TIMEOUT_MS) this.#fire(key, at + TIMEOUT_MS);
  }

  #fire(key: string, at: number): void {
    const [acquirer, terminal] = key.split('/') as [string, string];
    const alert = {
      type: 'terminal.offline',
      severity: 'warning',
      subject: subjectOf({ acquirer, terminal }),
      reason: 'silent',
      cause: 'unknown',
      members: [],
    };
    this.said.push({ at, transition: 'fired', alert: { ...alert, id: `${key} ${at}` } as unknown as Transition['alert'] });
  }
}
