/** Whether fixed terminals are where they are registered. */
import type { Sample } from '../../protocol/schemas/sample.ts';
import { type Fix, newWhereabouts } from '../fleet/places.ts';
import { placeOf, type Terminal } from '../fleet/terminals.ts';
import { isMobile, judgePlace, noteFix } from '../rules/place.ts';
import type { FoldCore } from './core.ts';
import type { News, TerminalWatch } from './terminals.ts';

export class Places implements TerminalWatch {
  readonly duties = {};
  readonly #core: FoldCore;

  constructor(core: FoldCore) {
    this.#core = core;
  }

  heard(t: Terminal, key: string, { facts, samples }: News): void {
    if (facts.note?.began && t.whereabouts) t.whereabouts.carried = null;
    const isSparse = Boolean(t.birth?.sparse && facts.note?.current);
    const isNews = samples.length > 0 && this.#noteFixes(t, samples, isSparse);
    if (isNews || facts.message?.channel === 'birth') this.judge(key);
  }

  judge(key: string): void {
    const { state, rules } = this.#core;
    const t = state.terminals.get(key)!;
    const subject = { acquirer: t.acquirer, ...placeOf(t), terminal: t.sn };
    this.#core.announce('place.moved', key, subject, (firing) => judgePlace(t, firing, rules['place.moved']));
  }

  /** Whether it is found to have moved, or to be back, by all of these together: what was true in between is told to nobody. */
  #noteFixes(t: Terminal, samples: readonly Sample[], isSparse: boolean): boolean {
    const place = t.binding?.place;
    const fixes = place && !isMobile(t) ? fixesOf(samples, isSparse, t.whereabouts?.carried ?? undefined) : [];
    if (!place || fixes.length === 0) return false;
    const { now, rules } = this.#core;
    t.whereabouts ??= newWhereabouts();
    const { moved } = t.whereabouts;
    for (const fix of fixes) {
      const result = noteFix(t.whereabouts, fix, place, now, rules['place.moved']);
      this.#core.count('place.moved', `fix_${result}`);
    }
    if (isSparse) t.whereabouts.carried = fixes.at(-1)!;
    return t.whereabouts.moved !== moved;
  }
}

/** In order of time. Where what has not changed is left out, the last fix stands for what a sample does not say. */
function fixesOf(samples: readonly Sample[], isSparse: boolean, carried: Fix | undefined): Fix[] {
  const fixes: Fix[] = [];
  for (const { at, place } of samples.toSorted((a, b) => a.at - b.at)) {
    const fix = place ?? (isSparse ? (fixes.at(-1) ?? carried) : undefined);
    if (fix) fixes.push({ ...fix, at });
  }
  return fixes;
}
