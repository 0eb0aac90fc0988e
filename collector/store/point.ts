export type Value = number | string | boolean;
export type Tags = Readonly<Record<string, string>>;

/** One point. Its identity is measurement, tags and time: the same identity again replaces it, or is not written twice. */
export interface Point {
  measurement: string;
  /** Empty values are left out. */
  tags: Tags;
  /** At least one. Numbers are stored as floats, always. */
  fields: Readonly<Record<string, Value>>;
  /** Epoch milliseconds. */
  at: number;
  /** 0–999 999 within the millisecond, for rows that would share an identity otherwise. Default 0. */
  nanos?: number;
}
