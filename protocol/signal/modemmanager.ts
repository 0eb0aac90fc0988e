import type { Rat, Signal } from '../schemas/sample.ts';
import { hexCode, knownSignal, numberIn, plmn, type Reading } from './known.ts';

type Section = Readonly<Record<string, unknown>>;

/** Names of `modem.generic.access-technologies` (MMModemAccessTechnology); where several are in use, the first of these rules. */
const TECHNOLOGIES: readonly (readonly [Rat, RegExp])[] = [
  ['lte', /^lte/],
  ['nr', /^5gnr$/],
  ['umts', /^(umts|hs.*)$/],
  ['gsm', /^(gsm.*|gprs|edge)$/],
];

/** States of `modem.3gpp.registration-state` (MMModem3gppRegistrationState) in which there is no service. */
const UNREGISTERED = new Set(['idle', 'searching', 'denied', 'emergency-only']);

/**
 * What ModemManager says of the radio: the texts that `mmcli -m N --output-json` printed with `--signal-get`, alone (the modem's state),
 * or with `--location-get`; any of them, in any order. Values are texts in dBm and dB, and `--` is unknown and absent, as is all of a
 * text that is not JSON.
 */
export function modemManagerSignal(outputs: readonly string[]): Signal {
  const modems = outputs.map(modemOf);
  const find = (...path: string[]): Section => Object.assign({}, ...modems.map((m) => path.reduce(section, m)));
  const generic = find('generic');
  const gpp = find('3gpp');
  const place = find('location', '3gpp');
  const rat = ratInUse(generic['access-technologies']) ?? ratMeasured(find('signal'));
  const state = gpp['registration-state'];
  return knownSignal({
    ...plmn(gpp['operator-code']),
    ...known({ mcc: codeOf(place.mcc), mnc: codeOf(place.mnc), lac: hexCode(place.tac) ?? hexCode(place.lac), cell: hexCode(place.cid) }),
    ...(rat ? measured(rat, find('signal', SECTIONS[rat])) : {}),
    rat: typeof state === 'string' && UNREGISTERED.has(state) ? 'none' : rat,
  });
}

const SECTIONS: Readonly<Record<Rat, string>> = { gsm: 'gsm', umts: 'umts', lte: 'lte', nr: '5g', wifi: '', none: '' };

function modemOf(output: string): Section {
  try {
    return section(JSON.parse(output), 'modem');
  } catch {
    return {};
  }
}

function section(parent: unknown, name: string): Section {
  const value = typeof parent === 'object' && parent !== null ? (parent as Section)[name] : undefined;
  return typeof value === 'object' && value !== null ? (value as Section) : {};
}

function ratInUse(names: unknown): Rat | undefined {
  if (!Array.isArray(names)) return undefined;
  return TECHNOLOGIES.find(([, pattern]) => names.some((name) => typeof name === 'string' && pattern.test(name)))?.[0];
}

function ratMeasured(signal: Section): Rat | undefined {
  return TECHNOLOGIES.map(([rat]) => rat).find((rat) => Object.keys(knownSignal(measured(rat, section(signal, SECTIONS[rat])))).length > 0);
}

/** org.freedesktop.ModemManager1.Modem.Signal: `snr` is the SINR, `ecio` the Ec/No. */
function measured(rat: Rat, values: Section): Reading {
  const n = (name: string) => numberIn(values[name]);
  if (rat === 'gsm') return { rssi: n('rssi') };
  if (rat === 'umts') return { rssi: n('rssi'), rscp: n('rscp'), ecno: n('ecio') };
  return { rssi: n('rssi'), rsrp: n('rsrp'), rsrq: n('rsrq'), sinr: n('snr') };
}

/** Without a fix the location is `--`, and must not hide what the registration said. */
function codeOf(text: unknown): unknown {
  return numberIn(text) === undefined ? undefined : text;
}

function known(reading: Reading): Reading {
  return Object.fromEntries(Object.entries(reading).filter(([, value]) => value !== undefined));
}
