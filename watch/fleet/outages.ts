import type { Subject } from '../../protocol/alerts.ts';
import type { Group, GroupKind } from './groups.ts';
import type { Terminal } from './terminals.ts';

/** What an alert names at most. */
const MEMBERS_NAMED = 20;

/** An outage that goes on, under its group's key. */
export interface Outage {
  key: string;
  kind: GroupKind;
  subject: Partial<Subject>;
  startsAt: number;
  /** The alert's id; null where maintenance withholds it. */
  alert: string | null;
  /** Its members that are still bound; how many of them are back; how many told that their power went. */
  members: number;
  back: number;
  powerless: number;
  /** Of the first found, the expected; the first members by serial number. */
  expected: number;
  named: string[];
  toldAt: number;
  /** When it is told anew, because it grew. */
  tellAt: number | null;
}

/** An outage of a group, before it has members. `expected`: how many of the group were expected. */
export function newOutage(group: Group, expected: number, at: number): Outage {
  return {
    key: group.key,
    kind: group.kind,
    subject: subjectOf(group),
    startsAt: at,
    alert: null,
    members: 0,
    back: 0,
    powerless: 0,
    expected,
    named: [],
    toldAt: at,
    tellAt: null,
  };
}

/** Counts a terminal as a member that is not back. */
export function countMember(outage: Outage, { sn, signs }: Readonly<Terminal>): void {
  outage.members++;
  if (signs?.mainsLost !== undefined) outage.powerless++;
  name(outage, sn);
}

function name({ named }: Outage, sn: string): void {
  if (named.length === MEMBERS_NAMED && sn >= named.at(-1)!) return;
  if (named.includes(sn)) return;
  named.push(sn);
  named.sort();
  if (named.length > MEMBERS_NAMED) named.pop();
}

/** Where all of the group are one acquirer's, it is that one's alert. */
function subjectOf({ subject, acquirers }: Group): Partial<Subject> {
  const { only } = acquirers;
  return only === undefined ? subject : { ...subject, acquirer: only };
}
