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
      return [message(action, 'birth', { at, ...birthOf(action.life, speed) })];
    case 'online':
    case 'goodbye':
      return [message(action, 'state', { at, state: action.kind })];
    case 'will':
      return [message(action, 'state', { state: 'lost' })];
    case 'event':
      return [message(action, 'event', { seq: action.seq, at, type: action.type, data: action.data })];
    case 'report': {
      const line = message(action, 'report', { seq: action.seq, samples: action.samples });
      return action.again ? [line, line] : [line];
    }
    default:
      return [];
  }
}

type Sent = { at: number; life: Life; session: number; sn?: string };

function message({ at, life, session: count, sn = life.sn }: Sent, channel: UpChannel, body: object): string {
  const topic = topicOf({ acquirer: life.merchant.plan.acquirer, sn, channel });
  const session = `${sn}-${String(count).padStart(3, '0')}`;
  return `{"at":${at},"topic":"${topic}","payload":${JSON.stringify({ v: 1, session, ...body })}}`;
}
