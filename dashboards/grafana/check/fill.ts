/**
 * A query as Grafana sends it: the dashboard's variables are put in by its page, the values that begin with `v.` by its InfluxDB data
 * source.
 */

/** What a variable stands for; `all`: everything, as the variable's own text for it says. */
export type Chosen = { value: string } | { all: string };

export interface Surroundings {
  /** Epoch milliseconds. */
  from: number;
  to: number;
  windowSeconds: number;
  bucket: string;
  org: string;
}

const VARIABLE = /\$\{(\w+)(?::(\w+))?\}/g;

/** The variables that a text names, with their formats. */
export function variablesIn(text: string): { name: string; format: string | undefined }[] {
  return [...text.matchAll(VARIABLE)].map(([, name, format]) => ({ name: name!, format }));
}

/** Variables that are not chosen stay as they are. */
export function fillVariables(query: string, chosen: ReadonlyMap<string, Chosen>): string {
  return query.replace(VARIABLE, (whole, name: string) => {
    const what = chosen.get(name);
    if (what === undefined) return whole;
    // Grafana leaves a variable's own text for "all" as it is, in every format.
    return 'all' in what ? what.all : what.value.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&');
  });
}

export function fillSurroundings(query: string, { from, to, windowSeconds, bucket, org }: Surroundings): string {
  const values: Record<string, string> = {
    timeRangeStart: new Date(from).toISOString(),
    timeRangeStop: new Date(to).toISOString(),
    windowPeriod: asGoDuration(windowSeconds),
    bucket: JSON.stringify(bucket),
    defaultBucket: JSON.stringify(bucket),
    organization: JSON.stringify(org),
  };
  return query.replace(/[a-zA-Z]+\.([a-zA-Z]+)/g, (whole, name: string) => values[name] ?? whole);
}

function asGoDuration(seconds: number): string {
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (h > 0) return `${h}h${m}m${s}s`;
  return m > 0 ? `${m}m${s}s` : `${s}s`;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** `now`, `now-24h`: epoch milliseconds, or undefined where it is another form. */
export function timeOf(text: string, now: number): number | undefined {
  const match = /^now(?:-(\d+)([smhdw]))?$/.exec(text);
  return match ? now - Number(match[1] ?? 0) * UNIT_SECONDS[match[2] ?? 's']! * 1000 : undefined;
}

/** A panel of ordinary width has about a thousand points; `least` as a panel sets it, such as `5m`. */
export function windowSeconds(from: number, to: number, least = '1s'): number {
  const match = /^(\d+)([smhdw])$/.exec(least);
  return Math.max(Math.ceil((to - from) / 1_000_000), match ? Number(match[1]) * UNIT_SECONDS[match[2]!]! : 1);
}
