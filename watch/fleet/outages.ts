import type { Subject } from '../../protocol/alerts.ts';
import type { GroupKind } from './groups.ts';

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
