/** Whether our own parts are well, for operators to know: what it means for terminals is said by presence. */
import type { PlatformState } from '../../protocol/entries.ts';
import { isStep } from '../fleet/blindness.ts';
import { endOverdue, isDown, newPlatform, notePart, overAt, type Part, type PlatformRow } from '../fleet/platform.ts';
import { intervalMs, mayAlert } from '../fleet/terminals.ts';
import { judgePlatform } from '../rules/platform.ts';
import type { FoldCore } from './core.ts';

const KEY = 'platform';
const MINUTE_MS = 60_000;

export class Platform {
  readonly duties = { platform: () => this.#due() };
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  /** Sets the deadline of what was loaded. */
  load(): void {
    const row = this.#core.state.platform.get(KEY);
    if (row) this.#core.wheel.set('platform', KEY, overAt(row));
  }

  note(platform: PlatformState): void {
    const { now, rules } = this.#core;
    if (platform.state === 'step' && !isStep(platform, rules['platform.blind'])) return;
    const row = this.#row();
    notePart(row, platform, now, platform.state === 'step' ? now + this.#longestIntervalMs() : now);
    this.#judge(row);
  }

  /** Whether a part was said to be down, of every node's. */
  isDown(part: Part): boolean {
    const row = this.#core.state.platform.get(KEY);
    return row !== undefined && isDown(row, part);
  }

  #due(): void {
    const row = this.#row();
    endOverdue(row, this.#core.now);
    this.#judge(row);
  }

  #judge(row: PlatformRow): void {
    this.#core.announce('platform.blind', KEY, {}, (firing) => judgePlatform(row, firing));
    if (Object.keys(row.troubles).length === 0) row.events = [];
    this.#core.wheel.set('platform', KEY, overAt(row));
  }

  #row(): PlatformRow {
    const { platform } = this.#core.state;
    return platform.change(KEY) ?? platform.set(KEY, newPlatform());
  }

  /**
   * A step of the clock blinds each terminal for an interval of its own, so it is over when the slowest has had it. One that reports a few
   * times a day holds up nobody's all-clear.
   */
  #longestIntervalMs(): number {
    const { state, rules } = this.#core;
    let longest = 0;
    for (const t of state.terminals.values()) {
      if (mayAlert(t.binding) && t.presence.lifeAt !== null) longest = Math.max(longest, intervalMs(t));
    }
    return Math.min(longest, rules['platform.blind'].clockMostMinutes * MINUTE_MS);
  }
}
