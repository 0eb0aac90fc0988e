/**
 * The two buckets of an InfluxDB. The one of the settings has to be there, or a slip in its name would go unseen; that of the roll-ups
 * is made where it is missing. One that is there is left as it is: a shorter retention removes points at once.
 */
import { type Answer, storeErrorOf } from './influx-errors.ts';
import type { InfluxHttp } from './influx-http.ts';
import { type Kept, StoreError } from './port.ts';

interface Wanted {
  org: string;
  bucket: string;
  kept: Kept;
  say(line: string): void;
}

interface Bucket {
  id: string;
  orgID: string;
  retentionRules: { everySeconds?: number }[];
}

const DAY_SECONDS = 86_400;
const JSON_TYPE = 'application/json';

/**
 * The name of the roll-ups' bucket, null where there is none and none can be made: then there are no roll-ups, and it says so.
 * `writable` tries a bucket. Errors: a StoreError `unavailable`, and `unauthorized` where the samples' bucket cannot be written to.
 */
export async function prepareBuckets(
  { org, bucket, kept, say }: Wanted,
  http: InfluxHttp,
  writable: (bucket: string) => Promise<void>,
  now: number,
): Promise<string | null> {
  const buckets = new Buckets(http, org, now);
  await writable(bucket);
  await buckets.compare(bucket, kept.rawDays, 'TILLWATCH_RAW_DAYS', say);
  const rollups = `${bucket}_5m`;
  const isThere = await buckets.compare(rollups, kept.rollupDays, 'TILLWATCH_ROLLUP_DAYS', say);
  if (!isThere) await buckets.make(rollups, kept.rollupDays);
  try {
    await writable(rollups);
    return rollups;
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'unauthorized') throw error;
    say(
      `no roll-ups: the token may neither write to a bucket "${rollups}" nor make it, so that nothing is kept beyond TILLWATCH_RAW_DAYS. ` +
        `Make it (influx bucket create --name ${rollups} --retention ${kept.rollupDays}d), let the token write to both, and start again`,
    );
    return null;
  }
}

class Buckets {
  readonly #http: InfluxHttp;
  readonly #org: string;
  readonly #now: number;

  constructor(http: InfluxHttp, org: string, now: number) {
    this.#http = http;
    this.#org = org;
    this.#now = now;
  }

  /** Says where a bucket keeps points for another time; false where there is none. Errors: a StoreError `unavailable`. */
  async compare(name: string, days: number, setting: string, say: (line: string) => void): Promise<boolean> {
    const bucket = await this.#find(name);
    const has = bucket?.retentionRules[0]?.everySeconds ?? 0;
    if (!bucket || has === days * DAY_SECONDS) return bucket !== undefined;
    say(
      `the bucket "${name}" keeps points ${has === 0 ? 'for ever' : `for ${has / DAY_SECONDS} days`}, and ${setting} says ${days}: ` +
        `it is left as it is. To change it: influx bucket update --id ${bucket.id} --retention ${days === 0 ? 0 : `${days}d`}`,
    );
    return true;
  }

  /** Undefined where there is none, null where the token may not look. */
  async #find(name: string): Promise<Bucket | null | undefined> {
    const answer = await this.#ask('GET', `/api/v2/buckets?${new URLSearchParams({ org: this.#org, name })}`);
    if (answer.status === 404) return undefined;
    return answer.status === 200 ? read<{ buckets?: Bucket[] }>(answer).buckets?.[0] : null;
  }

  /** Where the token may not, the first write says that there is none. */
  async make(name: string, days: number): Promise<void> {
    const answer = await this.#ask('GET', `/api/v2/orgs?${new URLSearchParams({ org: this.#org })}`);
    const orgID = answer.status === 200 ? read<{ orgs?: { id: string }[] }>(answer).orgs?.[0]?.id : undefined;
    if (orgID !== undefined) await this.#ask('POST', '/api/v2/buckets', { orgID, name, retentionRules: rulesOf(days) });
  }

  async #ask(method: string, path: string, body?: object) {
    const answer = await this.#http.request(method, path, body && { type: JSON_TYPE, bytes: Buffer.from(JSON.stringify(body)) });
    if (answer.status >= 500 || answer.status === 429) throw storeErrorOf(answer, this.#now);
    return answer;
  }
}

/** Something between may answer with a page of its own. Errors: a StoreError `unavailable` where it is no JSON object. */
function read<T extends object>({ text }: Answer): T {
  try {
    const value: T | null = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {}
  throw new StoreError('unavailable', 'what answered is not InfluxDB 2: it sent no JSON');
}

function rulesOf(days: number) {
  return days === 0 ? [] : [{ type: 'expire', everySeconds: days * DAY_SECONDS }];
}
