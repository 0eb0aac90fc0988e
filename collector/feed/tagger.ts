/**
 * The feed's own small fold: which merchant, site, model and app a terminal had when, and what its clock was off by. It is fed the
 * same entries as the watch, so a point has the tags of its time however late or often it is written.
 */
import type { Entry, MessageEntry } from '../../protocol/entries.ts';
import type { Sample } from '../../protocol/schemas/sample.ts';
import type { TerminalId } from '../../protocol/topics.ts';
import { factsOf, placedSamples } from '../../watch/facts.ts';
import { HoursBook } from '../../watch/fleet/hours.ts';
import { changesOf, type StagedRow } from '../../watch/fleet/imports.ts';
import type { Merchant } from '../../watch/fleet/merchants.ts';
import { Registry, type Touched } from '../../watch/fleet/registry.ts';
import { CLOCK_TOLERANCE_MS, placeSample } from '../../watch/fleet/sessions.ts';
import { type ClockSteps, noteStep, steppedMs } from '../../watch/fleet/steps.ts';
import { changeTerminal, placeOf, type Terminal } from '../../watch/fleet/terminals.ts';
import { Table } from '../../watch/fold/table.ts';
import type { Draft } from '../store/draft.ts';
import { SAMPLES } from '../store/rollup-layout.ts';
import { flattenSample } from './flatten.ts';
import { type History, noteValue, valueAt } from './history.ts';

/** Where a terminal was, by the registry's clock, and what ran on it, by its own. */
type Place = { merchant: string; site: string };
type Version = { model: string; app: string };
interface TagHistory {
  places: History<Place>;
  versions: History<Version>;
}
/** The tags of a terminal's points. Samples that share them share the object, too: what is known of it need not be found out again. */
export type TerminalTags = Place & Version & { acquirer: string; sn: string };

const NO_PLACE: Place = { merchant: '', site: '' };
const NO_VERSION: Version = { model: '', app: '' };

/** A sample of a report, with all that its points need. */
export interface TaggedSample {
  sample: Sample;
  seq: number;
  skewMs: number;
  tags: TerminalTags;
}

export class Tagger {
  readonly #terminals = new Table<Terminal>('terminals');
  readonly #history = new Table<TagHistory>('history');
  readonly #staged = new Table<StagedRow>('staged');
  readonly #steps = new Table<ClockSteps>('steps');
  /** The last tags of each terminal, by what they were made of. */
  readonly #tags = new Map<string, { place: Place; version: Version; tags: TerminalTags }>();
  readonly tables: readonly Table<object>[];
  readonly #registry: Registry;

  constructor() {
    const merchants = new Table<Merchant>('merchants');
    const rows = new Table<object>('registry');
    this.tables = [this.#terminals, this.#history, this.#staged, this.#steps, merchants, rows] as unknown as Table<object>[];
    this.#registry = new Registry({ terminals: this.#terminals, merchants, rows }, new HoursBook());
  }

  /** Takes an entry in; the samples are those that it newly brings. */
  take(entry: Entry): TaggedSample[] {
    if (entry.kind === 'message') return this.#message(entry);
    if (entry.kind === 'platform') noteStep(this.#steps, entry.platform);
    if (entry.kind !== 'registry' && entry.kind !== 'commit') return [];
    const touched: Touched = { merchants: new Set(), terminals: new Set() };
    for (const change of changesOf(entry, this.#staged)) this.#registry.apply(change, entry.at, touched);
    for (const key of touched.terminals) this.#noteTags(key, entry.at);
    return [];
  }

  #message(entry: MessageEntry): TaggedSample[] {
    const t = changeTerminal(this.#terminals, entry, entry.at);
    const { key } = t;
    const facts = factsOf(entry, t, steppedMs(this.#steps, entry.node));
    if (facts.message?.channel === 'birth' && facts.note?.current) {
      t.birth = facts.message.body;
      // By the terminal's own clock, as its samples are: it was received a little later than it was said.
      this.#noteTags(key, Math.round(placeSample(facts.message.body.at, facts.note.skewMs)));
    }
    if (facts.message?.channel !== 'report') return [];
    const { seq } = facts.message.body;
    const skewMs = facts.note?.skewMs ?? 0;
    const { samples } = placedSamples(facts, entry.replayed?.at ?? entry.at);
    return samples.map((sample) => ({ sample, seq, skewMs, tags: this.#tagsAt(entry, key, sample.at) }));
  }

  #noteTags(key: string, from: number): void {
    const t = this.#terminals.get(key)!;
    const { merchant, site } = placeOf(t);
    const history = this.#history.change(key) ?? this.#history.set(key, { places: [], versions: [] });
    noteValue(history.places, from, { merchant: merchant ?? '', site: site ?? '' });
    noteValue(history.versions, from, { model: t.binding?.model ?? t.birth?.model ?? '', app: t.birth?.app ?? '' });
  }

  #tagsAt({ acquirer, sn }: TerminalId, key: string, at: number): TerminalTags {
    const history = this.#history.get(key);
    const place = (history && valueAt(history.places, at)) ?? NO_PLACE;
    const version = (history && valueAt(history.versions, at)) ?? NO_VERSION;
    const last = this.#tags.get(key);
    if (last?.place === place && last.version === version) return last.tags;
    const tags = { acquirer, sn, ...place, ...version };
    this.#tags.set(key, { place, version, tags });
    return tags;
  }
}

/**
 * The point of a sample (contract, InfluxDB layout: `terminal`). A clock that was put right says by how much: `skew`, milliseconds.
 */
export function draftSample({ sample, seq, skewMs, tags }: TaggedSample, into: Draft): Draft {
  into.begin(SAMPLES, tags, sample.at);
  into.field('seq', seq);
  flattenSample(sample, into);
  if (Math.abs(skewMs) > CLOCK_TOLERANCE_MS) into.field('skew', skewMs);
  return into;
}
