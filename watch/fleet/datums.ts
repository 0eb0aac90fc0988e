/**
 * Coordinates and their datums. Maps in mainland China show GCJ-02, which is WGS-84 shifted by some hundred metres, and Baidu's show
 * BD-09, which is GCJ-02 shifted once more. Neither is published; these are the formulas that everybody uses, with their rectangle that
 * stands for China: beyond it the makers of maps give WGS-84.
 */
import type { Datum } from '../../protocol/schemas/common.ts';

export interface Point {
  lat: number;
  lon: number;
}

/** Without a datum it is WGS-84. */
export interface DatumPoint extends Point {
  datum?: Datum | undefined;
}

const EARTH_RADIUS_METERS = 6_371_008.8;
const RADIANS = Math.PI / 180;

/** The ellipsoid that GCJ-02 is made with, Krasovsky 1940: its semi-major axis in metres, and its first eccentricity squared. */
const AXIS_METERS = 6_378_245;
const ECCENTRICITY = 0.006_693_421_622_965_943;

const CHINA = { south: 0.8293, north: 55.8271, west: 72.004, east: 137.8347 } as const;

/** BD-09 turns and stretches by so much, and shifts by so many degrees. */
const BAIDU = { wave: Math.PI * (3000 / 180), stretch: 0.000_02, turn: 0.000_003, lat: 0.006, lon: 0.0065 } as const;

/** A ten-thousandth of a metre, in degrees. The inverse gains two digits a round, and none loses any. */
const EXACT_DEGREES = 1e-9;
const MOST_ROUNDS = 10;

/** Metres between two points of one datum, along the earth's surface. */
export function distanceMeters(a: Point, b: Point): number {
  const half = (degrees: number) => Math.sin((degrees * RADIANS) / 2) ** 2;
  const chord = half(b.lat - a.lat) + Math.cos(a.lat * RADIANS) * Math.cos(b.lat * RADIANS) * half(b.lon - a.lon);
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.min(1, Math.sqrt(chord)));
}

/** The same place in WGS-84, to less than a metre: the point whose shift leads to the one that is given. */
export function toWgs84({ lat, lon, datum = 'wgs84' }: DatumPoint): Point {
  const given = { lat, lon };
  if (datum === 'wgs84' || !isInChina(given)) return given;
  let found = given;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const there = shifted(found, datum);
    const off = { lat: there.lat - lat, lon: there.lon - lon };
    found = { lat: found.lat - off.lat, lon: found.lon - off.lon };
    if (Math.abs(off.lat) < EXACT_DEGREES && Math.abs(off.lon) < EXACT_DEGREES) break;
  }
  return found;
}

/** A place in WGS-84, as a map of the datum shows it. */
export function fromWgs84(point: Point, datum: Datum): Point {
  return datum === 'wgs84' || !isInChina(point) ? point : shifted(point, datum);
}

/** Where the datums differ. */
export function isInChina({ lat, lon }: Point): boolean {
  return lat >= CHINA.south && lat <= CHINA.north && lon >= CHINA.west && lon <= CHINA.east;
}

function shifted(point: Point, datum: 'gcj02' | 'bd09'): Point {
  const gcj = gcj02(point);
  return datum === 'gcj02' ? gcj : bd09(gcj);
}

function gcj02({ lat, lon }: Point): Point {
  const north = northMeters(lon - 105, lat - 35);
  const east = eastMeters(lon - 105, lat - 35);
  const sine = Math.sin(lat * RADIANS);
  const bulge = 1 - ECCENTRICITY * sine * sine;
  const meridianRadius = (AXIS_METERS * (1 - ECCENTRICITY)) / (bulge * Math.sqrt(bulge));
  const parallelRadius = (AXIS_METERS / Math.sqrt(bulge)) * Math.cos(lat * RADIANS);
  return { lat: lat + north / meridianRadius / RADIANS, lon: lon + east / parallelRadius / RADIANS };
}

/** How far GCJ-02 is to the north and to the east; x and y are degrees from 105° E, 35° N. */
function northMeters(x: number, y: number): number {
  const base = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x));
  return base + ripples(x) + (2 / 3) * (20 * wave(y) + 40 * wave(y / 3) + 160 * wave(y / 12) + 320 * wave(y / 30));
}

function eastMeters(x: number, y: number): number {
  const base = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x));
  return base + ripples(x) + (2 / 3) * (20 * wave(x) + 40 * wave(x / 3) + 150 * wave(x / 12) + 300 * wave(x / 30));
}

function ripples(x: number): number {
  return (2 / 3) * (20 * wave(6 * x) + 20 * wave(2 * x));
}

function wave(turns: number): number {
  return Math.sin(turns * Math.PI);
}

function bd09({ lat, lon }: Point): Point {
  const radius = Math.hypot(lon, lat) + BAIDU.stretch * Math.sin(lat * BAIDU.wave);
  const angle = Math.atan2(lat, lon) + BAIDU.turn * Math.cos(lon * BAIDU.wave);
  return { lat: radius * Math.sin(angle) + BAIDU.lat, lon: radius * Math.cos(angle) + BAIDU.lon };
}
