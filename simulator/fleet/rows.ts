/** The registry's rows, by the columns of its tables. */
import type { Row } from '../actions.ts';
import type { Life, MerchantState } from '../state.ts';
import type { TerminalPlan } from './plan.ts';

export function merchantRow({ plan, limit }: MerchantState, columns: Record<string, string> = {}): Row {
  const { acquirer, id, town } = plan;
  const row = { acquirer, merchant: id, name: `Shop ${id}`, terminal_limit: limit, region: town.region.name, tz: town.region.tz };
  return { table: 'merchants', row: { ...row, ...columns } };
}

type Lifecycle = 'active' | 'swapped_out' | 'deleted';

/** `given`: what differs from the plan. */
export function terminalRow(
  { plan }: MerchantState,
  { site, ...terminal }: Pick<TerminalPlan, 'site' | 'sn' | 'tid' | 'model' | 'peripheralLimit'>,
  lifecycle: Lifecycle,
): Row {
  return {
    table: 'terminals',
    row: {
      acquirer: plan.acquirer,
      merchant: plan.id,
      site: site.id,
      sn: terminal.sn,
      tid: terminal.tid,
      model: terminal.model,
      lifecycle,
      peripheral_limit: terminal.peripheralLimit,
      lat: site.lat / 10_000,
      lon: site.lon / 10_000,
      datum: 'wgs84',
      use: site.use,
    },
  };
}

export function rowOf(life: Life, lifecycle: Lifecycle, sn = life.sn): Row {
  return terminalRow(life.merchant, { ...life.plan, sn }, lifecycle);
}
