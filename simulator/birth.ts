import { declared } from './life/life.ts';
import type { Life } from './state.ts';

/** What a terminal says of itself after it has connected, but for its session and time. Hours are those of a story at speed 1. */
export function birthOf(life: Life, speed: number) {
  const { plan, merchant } = life;
  const { site } = plan;
  return {
    merchant: life.claims ?? merchant.plan.id,
    site: site.id,
    tid: plan.tid,
    model: plan.model,
    app: life.app,
    ...declared(life, speed),
    sparse: false,
    ...(speed === 1 && { expected: { tz: merchant.plan.town.region.tz, week: site.week } }),
    use: site.use,
    peripheralLimit: plan.peripheralLimit,
    sim: { iccid: `8986${plan.tid.padStart(15, '0')}`, planBytes: plan.simPlanBytes, resetDay: plan.simResetDay },
  };
}
