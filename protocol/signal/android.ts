import * as z from 'zod/mini';
import type { Rat, Signal } from '../schemas/sample.ts';
import { hexCode, knownSignal, type Reading } from './known.ts';
import * as tables from './tables.ts';

/** `CellInfo.UNAVAILABLE`, Integer.MAX_VALUE; the 64-bit NCI has Long.MAX_VALUE, which is larger still. */
const UNAVAILABLE = 2_147_483_647;
const MAX_NCI = 2 ** 36;

/** The last version of Android (10) whose `getRssnr()` counts tenths of a dB. */
const LAST_SDK_WITH_TENTHS = 29;

const TYPES: Readonly<Record<string, Rat>> = { gsm: 'gsm', wcdma: 'umts', tdscdma: 'umts', lte: 'lte', nr: 'nr', wifi: 'wifi' };

/** Of several registered cells the first of these is the one that carries the registration: with EN-DC, LTE. */
const ORDER: readonly Rat[] = ['lte', 'nr', 'umts', 'gsm', 'wifi'];

const number = z.optional(z.catch(z.optional(z.number()), undefined));
const code = z.optional(z.catch(z.optional(z.union([z.string(), z.number()])), undefined));

/**
 * One cell: the getters of CellInfo, of its CellIdentity and of its CellSignalStrength in one object, each under its name without
 * `get`. `type` is the class's ending in lower case (`lte` of CellInfoLte), `wifi` a WifiInfo.
 */
const androidCell = z.object({
  type: z.string(),
  registered: z.catch(z._default(z.boolean(), true), true),
  mcc: code,
  mnc: code,
  lac: number,
  tac: number,
  cid: number,
  ci: number,
  nci: number,
  rssi: number,
  rsrp: number,
  rsrq: number,
  rssnr: number,
  rscp: number,
  ecNo: number,
  ssRsrp: number,
  ssRsrq: number,
  ssSinr: number,
});
type AndroidCell = z.infer<typeof androidCell>;

/**
 * What Android says of the radio: one cell or a list of them, as parsed JSON; `sdk` is Build.VERSION.SDK_INT. A list of cells none of
 * which is registered is `rat: none`; an empty one says nothing, for Android also gives it without permission. Both the units of the
 * getters and those of a radio log's dump are read: there, RSRP and RSRQ of LTE and NR stand without their minus sign, RSSI, RSCP and
 * Ec/No as indices of TS 27.007, RSSNR in tenths of a dB. UNAVAILABLE and impossible values are absent.
 */
export function androidSignal(cells: unknown, sdk?: number): Signal {
  const list = (Array.isArray(cells) ? cells : [cells]).flatMap((cell) => {
    const result = androidCell.safeParse(cell);
    return result.success && Object.hasOwn(TYPES, result.data.type) ? [result.data] : [];
  });
  if (list.length === 0) return {};
  const registered = list.filter((cell) => cell.registered);
  const serving = ORDER.flatMap((rat) => registered.find((cell) => TYPES[cell.type] === rat) ?? [])[0];
  return serving ? knownSignal({ rat: TYPES[serving.type], ...identity(serving), ...strength(serving, sdk) }) : { rat: 'none' };
}

function identity({ mcc, mnc, lac, tac, cid, ci, nci }: AndroidCell): Reading {
  return {
    mcc: digits(mcc, 3),
    mnc: digits(mnc, 2),
    lac: hexOf(tac ?? lac, UNAVAILABLE),
    cell: hexOf(cid ?? ci, UNAVAILABLE) ?? hexOf(nci, MAX_NCI),
  };
}

function digits(value: string | number | undefined, length: number): string | undefined {
  return value === undefined ? undefined : String(value).padStart(length, '0');
}

function hexOf(value: number | undefined, below: number): string | undefined {
  return value !== undefined && Number.isSafeInteger(value) && value >= 0 && value < below ? hexCode(value.toString(16)) : undefined;
}

function strength(cell: AndroidCell, sdk: number | undefined): Reading {
  switch (TYPES[cell.type]) {
    case 'gsm':
      return { rssi: rssiOf(cell.rssi) };
    case 'umts': {
      const isIndex = cell.rscp !== undefined && cell.rscp >= 0;
      return {
        rssi: rssiOf(cell.rssi),
        rscp: isIndex ? tables.rscp(cell.rscp) : cell.rscp,
        ecno: isIndex ? tables.ecno(cell.ecNo) : cell.ecNo,
      };
    }
    case 'nr':
      return { ...signed(cell.ssRsrp, cell.ssRsrq), sinr: cell.ssSinr };
    case 'wifi':
      return { rssi: cell.rssi };
    default:
      return { ...signed(cell.rsrp, cell.rsrq), rssi: rssiOf(cell.rssi), sinr: rssnrOf(cell.rssnr, sdk) };
  }
}

/** IRadio's LteSignalStrength and NrSignalStrength carry RSRP and RSRQ multiplied by -1; a positive RSRP gives that away. */
function signed(rsrp: number | undefined, rsrq: number | undefined): Reading {
  const isDump = rsrp !== undefined && rsrp > 0 && rsrp < UNAVAILABLE;
  return isDump ? { rsrp: -rsrp, rsrq: rsrq === undefined ? undefined : -rsrq } : { rsrp, rsrq };
}

function rssiOf(rssi: number | undefined): number | undefined {
  return rssi !== undefined && rssi >= 0 ? tables.csqRssi(rssi) : rssi;
}

/** dB, -20 to 30, since Android 11; beyond that range it can only be tenths. */
function rssnrOf(rssnr: number | undefined, sdk: number | undefined): number | undefined {
  if (rssnr === undefined || rssnr >= UNAVAILABLE) return undefined;
  const isTenths = (sdk !== undefined && sdk <= LAST_SDK_WITH_TENTHS) || rssnr < -20 || rssnr > 30;
  return isTenths ? rssnr / 10 : rssnr;
}
