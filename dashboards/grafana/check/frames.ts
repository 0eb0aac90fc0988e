/** The fields that Grafana makes of InfluxDB's answer to a Flux query, by the rules of its InfluxDB data source. */

/** One table of an answer: its columns, how many rows came, and the columns that had a value in one of them. */
export interface FluxTable {
  columns: readonly FluxColumn[];
  rows: number;
  filled: Set<string>;
}

export interface FluxColumn {
  name: string;
  /** As the annotation says: string, double, long, dateTime:RFC3339 … */
  type: string;
  /** Whether it belongs to the table's group key. */
  group: boolean;
  /** The value of a group's column. */
  value?: string;
}

export interface Field {
  name: string;
  kind: 'time' | 'number' | 'other';
  /** Whether a row has a value there; a blank text is one. */
  filled: boolean;
}

export interface Frame {
  fields: Field[];
  labels: string[];
}

const NUMBERS = ['double', 'long', 'unsignedLong'];

export function frameOf({ columns, filled }: FluxTable): Frame {
  const data = columns.filter(({ name }) => name !== 'result' && name !== 'table');
  const labels = data.filter(({ group, value }) => group && value !== '');
  const fields = data.filter(({ group }) => !group).map(({ name, type }) => fieldOf(name, type, filled));
  const isSeries = fields.length === 2 && fields.some(isTime) && fields.some(({ name }) => name === '_value');
  // A single time with a single value is a series: Grafana then names the value after `_field`.
  const named = isSeries ? fields.map((field) => ({ ...field, name: isTime(field) ? 'Time' : seriesName(labels) })) : fields;
  return { fields: named, labels: labels.map(({ name }) => name).filter((name) => name !== '_measurement') };
}

function fieldOf(name: string, type: string, filled: ReadonlySet<string>): Field {
  return { name, kind: kindOf(type), filled: type === 'string' || filled.has(name) };
}

function isTime({ name, kind }: Pick<Field, 'name' | 'kind'>): boolean {
  return name === '_time' && kind === 'time';
}

function seriesName(labels: readonly FluxColumn[]): string {
  return labels.find(({ name }) => name === '_field')?.value ?? 'Value';
}

function kindOf(type: string): Field['kind'] {
  if (type.startsWith('dateTime')) return 'time';
  return NUMBERS.includes(type) ? 'number' : 'other';
}
