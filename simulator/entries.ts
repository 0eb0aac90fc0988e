/** The story as lines of the replay format, with what is true of its incidents beside it. */
import { topicOf, type UpChannel } from '../protocol/topics.ts';
import type { Action, Incident } from './actions.ts';
import { birthOf } from './birth.ts';
import type { Life } from './state.ts';
import type { Story } from './story.ts';
import { World } from './world.ts';

/** Lines of a replay file up to `endAt`, without their line ends. */
export function* entriesOf(story: Story, endAt: number, truth: (incident: Incident) => void = () => {}): Generator<string> {
  const world = new World(story);
  for (const action of world.settle()) yield* linesOf(action, story.speed);
  while (world.nextAt < endAt) {
    for (const action of world.step()) {
      if (action.kind === 'ended') truth(action.incident);
      else yield* linesOf(action, story.speed);
    }
  }
  for (const incident of world.open) truth({ ...incident, endsAt: null });
}

function linesOf(action: Action, speed: number): readonly string[] {
  const { at } = action;
  switch (action.kind) {
    case 'registry':
      return [`{"at":${at},"registry":${JSON.stringify(action.row)}}`];
    case 'platform':
      return [`{"at":${at},"platform":${JSON.stringify(action.platform)}}`];
    case 'connect':
      return [message(at, action.life, 'birth', { v: 1, session: sessionOf(action), at, ...birthOf(action.life, speed) })];
    case 'online':
    case 'goodbye':
      return [message(at, action.life, 'state', { v: 1, session: sessionOf(action), at, state: action.kind })];
    case 'will':
      return [message(at, action.life, 'state', { v: 1, session: sessionOf(action), state: 'lost' })];
    case 'event': {
      const { seq, type, data } = action;
      return [message(at, action.life, 'event', { v: 1, session: sessionOf(action), seq, at, type, data })];
    }
    case 'report': {
      const { seq, samples } = action;
      const line = message(at, action.life, 'report', { v: 1, session: sessionOf(action), seq, samples });
      return action.again ? [line, line] : [line];
    }
    default:
      return [];
  }
}

function sessionOf({ life, session }: { life: Life; session: number }): string {
  return `${life.sn}-${String(session).padStart(3, '0')}`;
}

function message(at: number, { sn, merchant }: Life, channel: UpChannel, payload: object): string {
  return `{"at":${at},"topic":"${topicOf({ acquirer: merchant.plan.acquirer, sn, channel })}","payload":${JSON.stringify(payload)}}`;
}
