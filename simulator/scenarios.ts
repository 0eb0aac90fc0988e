/** Scenarios by name: which incidents happen, and how often. */
import { type AlertType, REASONS } from '../protocol/alerts.ts';
import { drift, reclaimableSilent, reclaimableSwapped, twoMerchants, twoSerials } from './incidents/bindings.ts';
import { agentWarns, fades, flaps, interference, moves, reconnects, steps } from './incidents/coverage.ts';
import { condemned, merchantFails, neverOpened, regression, terminalFails } from './incidents/failures.ts';
import { siteOffline, terminalOffline } from './incidents/offline.ts';
import { siteOutage } from './incidents/outage.ts';
import { bindsReachLimit, limitIsCut, peripherals, simData, swapsApproachLimit } from './incidents/quota.ts';
import type { Script } from './incidents/scene.ts';
import { appLags, blindness, byCell, outages, type WideScript } from './incidents/wide.ts';

/** What happens to one merchant, by the type of alert that it leads to. */
const OF_MERCHANTS: Partial<Record<AlertType, readonly Script[]>> = {
  'quota.terminals': [bindsReachLimit, swapsApproachLimit, limitIsCut],
  'quota.peripherals': [peripherals],
  'quota.sim_data': [simData],
  'binding.reclaimable': [reclaimableSwapped, reclaimableSwapped, reclaimableSwapped, reclaimableSilent],
  'binding.drift': [drift],
  'binding.conflict': [twoMerchants, twoSerials],
  'coverage.weakening': [agentWarns, fades, steps, interference, reconnects],
  'terminal.offline': [terminalOffline, terminalOffline, siteOffline],
  'terminal.unstable': [flaps],
  outage: [siteOutage],
  'scope.closed': [neverOpened, regression],
  'failure.rate': [terminalFails, merchantFails],
  'failure.terminal': [condemned],
  'place.moved': [moves],
};

/** What happens to the whole fleet. */
const OF_FLEETS: Partial<Record<AlertType, readonly WideScript[]>> = {
  outage: outages,
  'software.lagging': [appLags],
  'platform.blind': blindness,
};

export interface Scenario {
  name: string;
  about: string;
  /** `none`, some now and then, or as many as there is room for. */
  rate: 'none' | 'drawn' | 'often';
  /** One of these for a merchant, and for the fleet: each type as likely as another. */
  merchant: readonly (readonly Script[])[];
  wide: readonly (readonly WideScript[])[];
  town: readonly WideScript[];
}

const ABOUT: Record<AlertType, string> = {
  'quota.terminals': 'merchants run out of terminal slots: by binds, by swaps, by a limit that is cut',
  'quota.peripherals': 'terminals have as many peripherals attached as they may have, or more',
  'quota.sim_data': 'SIM plans are used up',
  'binding.reclaimable': 'replaced or silent terminals hold their slots',
  'binding.drift': 'registry and terminals count bindings differently for days',
  'binding.conflict': 'one serial at two merchants, one TID on two serials',
  'coverage.weakening': 'signals fade, fall at once or drown in noise, and hold',
  'terminal.offline': 'terminals fall silent: radio, power, site, switched off, SIM data, update, unknown',
  'terminal.unstable': 'terminals come and go',
  outage: 'everything of a site, cell, operator, acquirer or app goes at once',
  'scope.closed': 'a card kind or service is declined that was never opened, or broke',
  'failure.rate': 'transactions fail more often than they used to',
  'failure.terminal': 'codes come back that condemn a terminal or a merchant',
  'place.moved': 'fixed terminals are carried away',
  'software.lagging': 'one app version fails more often than the others',
  'platform.blind': 'our own broker, log, store, collector or clock fails (entries alone)',
};

const TYPES = Object.keys(REASONS) as AlertType[];

export const SCENARIOS: readonly Scenario[] = [
  { name: 'quiet', about: 'daily life alone: nothing to warn of', rate: 'none', merchant: [], wide: [], town: [] },
  {
    name: 'day',
    about: 'daily life with incidents of all kinds',
    rate: 'drawn',
    merchant: Object.values(OF_MERCHANTS),
    wide: Object.values(OF_FLEETS),
    town: [byCell],
  },
  ...TYPES.map((type) => ({
    name: type,
    about: ABOUT[type],
    rate: 'often' as const,
    merchant: OF_MERCHANTS[type] ? [OF_MERCHANTS[type]] : [],
    wide: OF_FLEETS[type] ? [OF_FLEETS[type]] : [],
    town: type === 'outage' ? [byCell] : [],
  })),
];

export function scenarioNamed(name: string): Scenario | undefined {
  return SCENARIOS.find((one) => one.name === name);
}
