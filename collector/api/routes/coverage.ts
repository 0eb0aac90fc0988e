import { Hono } from 'hono';
import { type CoverageRow, cellSpot, coverageRows, operatorSpot, pointOf, type SpotOf, siteSpot, WAYS, type Way } from '../coverage.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { cursorKey, limitOf, pageOf } from '../paging.ts';
import { Problem } from '../problem.ts';
import { queryOf, visibleAcquirer } from '../require.ts';

/** A hexagon of some 530 m a side; and from a region to a block. */
const DEFAULT_RESOLUTION = 8;
const RESOLUTIONS = [4, 9] as const;
/** A map is drawn from several pages, and looked at by several people: what was put together is shown for so long. */
const SHOWN_MS = 60_000;
const SHOWN_AT_ONCE = 8;
const KEY_FORM = /./;
/** An acquirer, and two labels of 128 characters. */
const MAX_KEY_BYTES = 1_100;

type Rows = Promise<Map<string, CoverageRow>>;

/** In the order of what the rows are of; an acquirer's reader sees what its own terminals had. */
export function coverageRoutes({ watch, now }: ApiDeps): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  const shown = new Map<string, { at: number; rows: Rows }>();

  app.get('/coverage', async (c) => {
    const query = queryOf(c);
    const way = wayOf(query.by);
    const resolution = resolutionOf(way, query.resolution);
    const limit = limitOf(query.limit);
    const after = cursorKey(query.cursor, KEY_FORM, MAX_KEY_BYTES);
    const rows = await rowsOf(way, resolution, visibleAcquirer(c));
    return c.json(pageOf(rowsAfter(rows, after), limit));
  });

  function rowsOf(way: Way, resolution: number, acquirer: string | null): Rows {
    const key = [way, resolution, acquirer ?? ''].join('|');
    const known = shown.get(key);
    if (known && now() - known.at < SHOWN_MS) return known.rows;
    shown.delete(key);
    for (const oldest of shown.keys()) if (shown.size >= SHOWN_AT_ONCE) shown.delete(oldest);
    const rows = put(way, resolution, acquirer);
    shown.set(key, { at: now(), rows });
    rows.catch(() => shown.delete(key));
    return rows;
  }

  async function put(way: Way, resolution: number, acquirer: string | null): Rows {
    return coverageRows(watch.state.terminals.values(), acquirer, await spotsOf(way, resolution), now());
  }

  return app;
}

async function spotsOf(way: Way, resolution: number): Promise<SpotOf> {
  switch (way) {
    case 'site':
      return siteSpot;
    case 'cell':
      return cellSpot;
    case 'operator':
      return operatorSpot;
    case 'hex':
      return hexSpots(resolution);
  }
}

/** The library is loaded by who first asks for a map. A fix must be as exact as a hexagon is wide, to be in it or in the next. */
async function hexSpots(resolution: number): Promise<SpotOf> {
  const { cellToLatLng, getHexagonEdgeLengthAvg, latLngToCell } = await import('h3-js');
  const meters = 2 * getHexagonEdgeLengthAvg(resolution, 'm');
  return (t, c) => {
    const point = pointOf(t, c, meters);
    if (!point) return null;
    const hex = latLngToCell(point.lat, point.lon, resolution);
    const [lat, lon] = cellToLatLng(hex);
    return { key: hex, members: { hex, lat: round(lat!), lon: round(lon!) } };
  };
}

/** Degrees to a metre. */
function round(degrees: number): number {
  return Math.round(degrees * 100_000) / 100_000;
}

function* rowsAfter(rows: Map<string, CoverageRow>, after: string | undefined) {
  for (const [key, item] of rows) if (after === undefined || key > after) yield { key, item };
}

/** Errors: Problem 400 for a way that is none. */
function wayOf(by: string | undefined): Way {
  const way = WAYS.find((name) => name === by);
  if (!way) throw new Problem(400, 'Bad request', `by is one of ${WAYS.join(', ')}`);
  return way;
}

/** Errors: Problem 400. */
function resolutionOf(way: Way, text: string | undefined): number {
  const [least, most] = RESOLUTIONS;
  const resolution = text === undefined ? DEFAULT_RESOLUTION : Number(text);
  if (text !== undefined && way !== 'hex') throw new Problem(400, 'Bad request', 'resolution is of hexagons: leave it out');
  if (!Number.isInteger(resolution) || resolution < least || resolution > most)
    throw new Problem(400, 'Bad request', `resolution is a whole number, ${least} to ${most}`);
  return resolution;
}
