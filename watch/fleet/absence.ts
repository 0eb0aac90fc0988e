/** What a terminal says of itself that bears on why it was silent. `power`: mains or battery went; `plan`: its data were used up. */
export type Word = 'shutdown' | 'update' | 'power' | 'plan';

/** A silence that was announced and is over, until the terminal has had its time to tell what it was. All times are epoch milliseconds. */
export interface Absence {
  /** When it was last heard before, and when again. */
  from: number;
  to: number;
  /** The cause that its alert, or its outage, was given last. */
  said: string;
  /** What it shares with others that were silent with it: an outage's kind, or `site`; null where it was alone. */
  shared: string | null;
  judgeAt: number;
  /** Its last words before the silence, and what it says of the time since. */
  lastWords: Word[];
  words: Word[];
  /** Samples that it took meanwhile; those of them that tell of a signal, and of these the poor ones. */
  samples: number;
  signals: number;
  poor: number;
  /** Whether it ran on mains before, and its battery in the first and the last sample without them. */
  hadMains: boolean;
  batteries: [number, number] | null;
}
