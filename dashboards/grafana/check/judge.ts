/** Whether an answer has what its panel shows. */
import type { Panel } from './dashboard.ts';
import { type FluxTable, type Frame, frameOf } from './frames.ts';
import { shownBy } from './shown.ts';

/** `partly`: some of the fields that series are made of were never written, as of terminals that do not report them. */
export type Outcome = 'ok' | 'partly' | 'empty' | 'wrong';

export interface Judgement {
  outcome: Outcome;
  detail: string;
}

export function judge(panel: Panel, query: string, tables: readonly FluxTable[]): Judgement {
  const frames = tables.filter(({ rows }) => rows > 0).map(frameOf);
  if (frames.length === 0) return { outcome: 'empty', detail: 'no rows' };
  const problem = problemOfForm(panel.type, frames);
  if (problem) return { outcome: 'wrong', detail: problem };
  const { fields, labels } = shownBy(panel);
  const label = labels.find((name) => frames.some((frame) => !frame.labels.includes(name)));
  if (label) return { outcome: 'wrong', detail: `its series have no label "${label}"` };
  const blank = fields.find((name) => !frames.some((frame) => frame.fields.some((field) => field.name === name && field.filled)));
  const missing = fields.filter((name) => !frames.some((frame) => frame.fields.some((field) => field.name === name)));
  if (missing.length > 0) return judgeMissing(missing, query, frames);
  // Flux takes a column that does not exist for one without values.
  if (blank) return { outcome: 'wrong', detail: `no row has a value in ${blank}` };
  return { outcome: 'ok', detail: frames.length === 1 ? '1 table' : `${frames.length} series` };
}

function judgeMissing(missing: readonly string[], query: string, frames: readonly Frame[]): Judgement {
  const unasked = missing.filter((name) => !query.includes(`_field == ${JSON.stringify(name)}`));
  if (unasked.length === 0) return { outcome: 'partly', detail: `no rows of ${missing.join(', ')}` };
  const had = [...new Set(frames.flatMap((frame) => frame.fields.map(({ name }) => name)))];
  return { outcome: 'wrong', detail: `it shows ${unasked.join(', ')}, and the answer has ${had.join(', ')}` };
}

/** A table shows one frame at a time, and whatever is drawn over time needs a time. */
function problemOfForm(type: string, frames: readonly Frame[]): string | undefined {
  const lacks = (kind: string) => frames.some(({ fields }) => !fields.some((field) => field.kind === kind && field.filled));
  if ((type === 'table' || type === 'stat') && frames.length > 1)
    return `the answer has ${frames.length} tables, and one is shown: group them`;
  if ((type === 'timeseries' || type === 'state-timeline') && lacks('time')) return 'the answer has no time';
  if ((type === 'timeseries' || type === 'stat') && lacks('number')) return 'the answer has no number';
  return undefined;
}
