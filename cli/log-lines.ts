/** What is in a log, as lines for people. */
import type { Fill } from '../backbone/segments/fill.ts';
import type { LogName, Survey } from '../collector/log/survey.ts';

type Figures = Survey & { consumers: Record<string, number>; fill: Fill | null };
type Checked = Pick<Survey, 'batches' | 'bytes' | 'damage' | 'torn'>;

export function inspectLines(log: LogName, figures: Figures): string[] {
  const { first, last, batches, records, bytes, segments, fileBytes, kinds, acquirers, consumers, fill, damage, torn } = figures;
  const span = first && last ? `batches ${placed(first)} to ${placed(last)}` : 'no batch';
  return [
    `${log}: ${span}`,
    `  ${batches} batches, ${records} records, ${mebibytes(bytes)} in ${segments.length} files of ${mebibytes(fileBytes)}`,
    ...counted('kind', kinds),
    ...counted('acquirer', acquirers),
    ...Object.entries(consumers).map(
      ([name, batch]) => `  reader ${name}: needs batch ${batch} on, ${Math.max(0, (last?.batch ?? 0) + 1 - batch)} to go`,
    ),
    ...(fill
      ? [
          `  full of what is unread: ${percent(fill.size)} of its limit, ${percent(fill.disk)} of the disk${fill.full ? ', and takes nothing' : ''}`,
        ]
      : []),
    ...(damage.length + torn.length > 0 ? [`  not whole: see "tillwatch log verify ${log}"`] : []),
  ];
}

export function damageLines(log: LogName, { batches, bytes, damage, torn }: Checked): string[] {
  return [
    `${log}: ${batches} batches are whole, ${mebibytes(bytes)}`,
    ...damage.map(({ path, offset, what }) => `  damaged: ${path} at offset ${offset}: ${what}`),
    ...torn.map(
      ({ path, offset, bytes: left }) =>
        `  torn: ${path} at offset ${offset}: ${left} bytes of a batch that nobody was told of; the next start cuts them, and nothing is lost`,
    ),
  ];
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(1)} %`;
}

function placed({ batch, at }: { batch: number; at: number }): string {
  return `${batch} (${new Date(at).toISOString()})`;
}

function counted(what: string, counts: Figures['kinds']): string[] {
  return Object.entries(counts).map(([name, { records, bytes }]) => `  ${what} ${name}: ${records} records, ${mebibytes(bytes)}`);
}
