/** What is in a log, in figures: for people who want to know what fills it, and whether it is whole. */
import type { Step } from '../../backbone/segments/walk.ts';
import { decodeControl } from '../../protocol/control.ts';
import { decodeRecord } from '../../protocol/record.ts';
import { decodeOwnerRecord } from './entries.ts';

/** The logs of an installation, by the name that people know them under. */
export const LOG_NAMES = ['brokers', 'owner', 'control'] as const;
export type LogName = (typeof LOG_NAMES)[number];

interface Count {
  records: number;
  bytes: number;
}

interface Place {
  batch: number;
  /** When it was made durable, epoch milliseconds. */
  at: number;
}

export interface Survey {
  /** Null where it has no batch. */
  first: Place | null;
  last: Place | null;
  batches: number;
  records: number;
  bytes: number;
  /** What the files take. */
  fileBytes: number;
  segments: { path: string; bytes: number; first: number | null; last: number | null }[];
  /** Records by their kind: of messages the channel. */
  kinds: Record<string, Count>;
  /** Messages by their acquirer. */
  acquirers: Record<string, Count>;
  damage: { path: string; offset: number; what: string }[];
  torn: { path: string; offset: number; bytes: number }[];
}

export function noSurvey(): Survey {
  const counts = { batches: 0, records: 0, bytes: 0, fileBytes: 0 };
  return { first: null, last: null, ...counts, segments: [], kinds: noCounts(), acquirers: noCounts(), damage: [], torn: [] };
}

/** Without a prototype: an acquirer may be called "constructor". */
function noCounts(): Record<string, Count> {
  return Object.create(null);
}

/** Takes a step of a walk over the log of this name in. */
export function note(survey: Survey, step: Step, log: LogName): void {
  switch (step.kind) {
    case 'segment':
      survey.fileBytes += step.bytes;
      survey.segments.push({ path: step.path, bytes: step.bytes, first: null, last: null });
      break;
    case 'batch':
      noteBatch(survey, step, log);
      break;
    case 'damage':
      survey.damage.push({ path: step.path, offset: step.offset, what: step.what });
      break;
    default:
      survey.torn.push({ path: step.path, offset: step.offset, bytes: step.bytes });
  }
}

function noteBatch(survey: Survey, { batch, at, bytes, records }: Extract<Step, { kind: 'batch' }>, log: LogName): void {
  survey.first ??= { batch, at };
  survey.last = { batch, at };
  survey.batches++;
  survey.records += records.length;
  survey.bytes += bytes;
  const segment = survey.segments.at(-1)!;
  segment.first ??= batch;
  segment.last = batch;
  for (const record of records) {
    const { kind, acquirer } = sortOf(record, log);
    count(survey.kinds, kind, record.length);
    if (acquirer !== undefined) count(survey.acquirers, acquirer, record.length);
  }
}

function count(counts: Record<string, Count>, name: string, bytes: number): void {
  counts[name] ??= { records: 0, bytes: 0 };
  counts[name].records++;
  counts[name].bytes += bytes;
}

/** A record that a newer version wrote is no damage. */
function sortOf(record: Buffer, log: LogName): { kind: string; acquirer?: string } {
  try {
    if (log === 'owner') return { kind: decodeOwnerRecord(record).entry.kind };
    if (log === 'control') return { kind: decodeControl(record).kind };
    const read = decodeRecord(record);
    return read.kind === 'arrival' ? { kind: read.channel, acquirer: read.acquirer } : { kind: read.kind };
  } catch {
    return { kind: 'unreadable' };
  }
}
