/** The fleet as it is drawn from the seed: merchants one after another, each by its own stream, so that none depends on how many follow. */
import { type Hours, hoursOf } from '../hours.ts';
import { draw, OF, percent, pick, type Stream, streamOf, weighted } from '../random.ts';
import { ACQUIRERS, MERCHANT, PLACES, REGION_WEIGHTS, REGIONS, SIGNAL, TERMINAL, TOWN } from '../ranges.ts';

const MIB = 1024 * 1024;
/** Merchants and serial numbers begin here, so that they have as many digits for a long time. */
const FIRST_MERCHANT = 1001;
const FIRST_TID = 10_000_000;
/** No merchant has as many terminals: its index and a terminal's place in it make one number. */
export const PLACES_A_MERCHANT = 100;

export type Region = (typeof REGIONS)[number];

export interface Town {
  index: number;
  region: Region;
  /** Ten-thousandths of a degree. */
  lat: number;
  lon: number;
  lac: string;
  cells: readonly string[];
}

export interface Site {
  id: string;
  cell: string;
  lat: number;
  lon: number;
  week: readonly string[];
  hours: Hours | null;
  use: 'fixed' | 'mobile';
}

export interface TerminalPlan {
  site: Site;
  sn: string;
  tid: string;
  model: string;
  app: string;
  intervalSeconds: number;
  keepaliveSeconds: number;
  operator: string;
  rsrp: number;
  rsrq: number;
  sinr: number;
  rssiOver: number;
  salesPerHour: number;
  peripherals: number;
  peripheralLimit: number;
  knowsPlace: boolean;
  sumsRadio: boolean;
  simPlanBytes: number;
  simResetDay: number;
  /** Hundredths of a percent of the plan. */
  simDailyUse: number;
  battery: number;
}

export interface MerchantPlan {
  index: number;
  acquirer: string;
  id: string;
  town: Town;
  limit: number;
  terminals: TerminalPlan[];
}

export function planTown(seed: number, index: number): Town {
  const stream = streamOf(seed, OF.town, index);
  const region = weighted(
    stream,
    REGIONS.map((one, i) => [one, REGION_WEIGHTS[i]!] as const),
  );
  const area = index + 0x9000;
  const cells = Array.from({ length: draw(stream, TOWN.cells) }, (_, i) => (0x50000 + index * 16 + i).toString(16));
  const around = (degrees: number) => Math.round(degrees * 10_000) + draw(stream, TOWN.spread);
  return { index, region, lat: around(region.lat), lon: around(region.lon), lac: area.toString(16), cells };
}

/** `most`: where the fleet ends within this merchant, it has only its first terminals. */
export function planMerchant(seed: number, index: number, town: Town, most: number): MerchantPlan {
  const stream = streamOf(seed, OF.merchant, index);
  const number = FIRST_MERCHANT + index;
  const acquirer = weighted(stream, ACQUIRERS);
  const terminals: TerminalPlan[] = [];
  const sites = weighted(stream, MERCHANT.sites);
  for (let s = 1; s <= sites; s++) {
    const kind =
      PLACES[
        weighted(
          stream,
          Object.entries(PLACES).map(([name, { weight }]) => [name as keyof typeof PLACES, weight] as const),
        )
      ];
    const site = planSite(stream, `s-${number}-${s}`, kind, town);
    for (let left = draw(stream, kind.terminals); left > 0; left--) {
      terminals.push(planTerminal(streamOf(seed, OF.terminal, index, terminals.length), number, terminals.length, site, kind, town));
    }
  }
  const planned = terminals.length;
  const full = planned === 1 && percent(stream, MERCHANT.fullPercent);
  const share = draw(stream, MERCHANT.usedPercent);
  const limit = full ? 1 : Math.max(planned + MERCHANT.leastLeft, Math.ceil((planned * 100) / share));
  return { index, acquirer, id: `m-${number}`, town, limit, terminals: terminals.slice(0, most) };
}

type Kind = (typeof PLACES)[keyof typeof PLACES];

function planSite(stream: Stream, id: string, kind: Kind, town: Town): Site {
  const week = pick<readonly string[]>(stream, kind.weeks);
  return {
    id,
    cell: pick(stream, town.cells),
    lat: town.lat + draw(stream, TOWN.siteSpread),
    lon: town.lon + draw(stream, TOWN.siteSpread),
    week,
    hours: hoursOf(week, town.region.offsetMinutes),
    use: kind.use,
  };
}

function planTerminal(stream: Stream, merchant: number, place: number, site: Site, kind: Kind, town: Town): TerminalPlan {
  return {
    site,
    sn: `SN${String(merchant).padStart(6, '0')}${String(place + 1).padStart(2, '0')}`,
    tid: String(FIRST_TID + merchant * PLACES_A_MERCHANT + place),
    model: weighted(stream, TERMINAL.models),
    app: weighted(stream, TERMINAL.apps),
    intervalSeconds: weighted(stream, TERMINAL.intervalSeconds),
    keepaliveSeconds: weighted(stream, TERMINAL.keepaliveSeconds),
    operator: weighted<string>(stream, town.region.operators),
    rsrp: draw(stream, kind.rsrpDbm),
    rsrq: draw(stream, SIGNAL.rsrqDb),
    sinr: draw(stream, SIGNAL.sinrDb),
    rssiOver: draw(stream, SIGNAL.rssiOverDb),
    salesPerHour: draw(stream, kind.salesPerHour),
    peripherals: draw(stream, TERMINAL.peripherals),
    peripheralLimit: weighted(stream, TERMINAL.peripheralLimit),
    knowsPlace: percent(stream, TERMINAL.placePercent),
    sumsRadio: percent(stream, TERMINAL.radioPercent),
    simPlanBytes: weighted(stream, TERMINAL.simPlanMib) * MIB,
    simResetDay: draw(stream, TERMINAL.simResetDay),
    simDailyUse: draw(stream, TERMINAL.simDailyUse),
    battery: draw(stream, TERMINAL.battery),
  };
}
