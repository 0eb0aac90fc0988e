/** Flux queries of a real InfluxDB, and what came back, table by table. */
import { type FluxTableMetaData, InfluxDB } from '@influxdata/influxdb-client';
import type { FluxTable } from './frames.ts';

export interface InfluxAccess {
  url: string;
  token: string;
  org: string;
  bucket: string;
}

/** `values`: the first column of text, which is what a dashboard's variable takes. */
export interface Answer {
  tables: FluxTable[];
  values: string[];
}

export type Ask = (flux: string) => Promise<Answer>;

const ANSWER_WITHIN_MS = 60_000;

/** Errors: rejects where InfluxDB cannot be reached or refuses the query, with what it says. */
export function openInflux({ url, token, org }: InfluxAccess): Ask {
  const api = new InfluxDB({ url, token, timeout: ANSWER_WITHIN_MS }).getQueryApi(org);
  return async (flux) => {
    const tables = new Map<string, FluxTable>();
    const values: string[] = [];
    for await (const { values: cells, tableMeta } of api.iterateRows(flux)) {
      const table = tableOf(tables, cells, tableMeta);
      table.rows++;
      for (const { label, index } of tableMeta.columns) if (cells[index]) table.filled.add(label);
      const text = tableMeta.columns.find(({ label, dataType }) => dataType === 'string' && label !== 'result');
      if (text) values.push(cells[text.index] ?? '');
    }
    return { tables: [...tables.values()], values };
  };
}

/** Grafana begins a new frame with each new group key. */
function tableOf(tables: Map<string, FluxTable>, cells: string[], { columns }: FluxTableMetaData): FluxTable {
  const described = columns.map(({ label, dataType, group, index }) => ({
    name: label,
    type: dataType,
    group,
    ...(group ? { value: cells[index] ?? '' } : {}),
  }));
  const key = JSON.stringify(described);
  const known = tables.get(key) ?? { columns: described, rows: 0, filled: new Set() };
  tables.set(key, known);
  return known;
}
