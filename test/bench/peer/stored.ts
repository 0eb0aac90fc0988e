/** What a side's store holds of the reports: how many while a run goes on, and exactly which at its end. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Layout } from '../../../backbone/layout.ts';
import { DurableFile } from '../../../backbone/segments/durable.ts';
import type { InfluxAccess } from '../../helpers/influx.ts';

export interface StoredReports {
  /** Called when the load has ended. */
  loadEnded(): void;
  /** How many are there; Infinity where all are that the log has. It grows as long as reports arrive. Throws where the store is away. */
  count(): Promise<number>;
  /** The numbers of each terminal's reports, with repetitions, once broker and collector have stopped. */
  all(): Promise<Map<string, number[]>>;
}

interface Series {
  tags: Record<string, string>;
  values: [number, number][];
}

/** `measurement`: with a field seq and a tag sn. */
export function influxReports(access: InfluxAccess, measurement: string): StoredReports {
  return {
    loadEnded: () => {},
    async count() {
      const [series] = await select(access, `SELECT count("seq") FROM "${measurement}"`);
      return series?.values[0]?.[1] ?? 0;
    },
    async all() {
      const found = await select(access, `SELECT "seq" FROM "${measurement}" GROUP BY "sn"`);
      return new Map(found.map(({ tags, values }) => [tags.sn!, values.map(([, seq]) => seq)]));
    },
  };
}

async function select({ url, token, bucket }: InfluxAccess, query: string): Promise<Series[]> {
  const parameters = new URLSearchParams({ db: bucket, epoch: 'ms', q: query });
  const answer = await fetch(`${url}/query?${parameters}`, { headers: { authorization: `Token ${token}` } });
  const { results } = (await answer.json()) as { results: [{ series?: Series[]; error?: string }] };
  if (results[0].error) throw new Error(results[0].error);
  return results[0].series ?? [];
}

/** One process holds the file, so while it runs only the feed's place in the log is seen. */
export function embeddedReports({ brokersLog, store }: Layout): StoredReports {
  let target = Infinity;
  return {
    loadEnded: () => {
      const durable = new DurableFile(brokersLog);
      target = durable.read().batch;
      durable.close();
    },
    async count() {
      const needed = Number(await readFile(join(brokersLog, 'consumer-feed'), 'utf8'));
      return needed > target ? Infinity : needed - target;
    },
    async all() {
      const instance = await DuckDBInstance.create(store, { access_mode: 'READ_ONLY' });
      const connection = await instance.connect();
      const rows = (await connection.runAndReadAll('SELECT sn, list(seq) FROM terminal GROUP BY sn')).getRowsJS() as [string, number[]][];
      connection.closeSync();
      instance.closeSync();
      return new Map(rows.map(([sn, seqs]) => [sn, seqs.map(Number)]));
    },
  };
}
