import { MINUTE, MONDAY, SECOND } from './log.ts';

/** So many minutes and seconds after the beginning of the Monday on which the tests' logs begin. */
export const at = (minutes: number, seconds = 0): number => MONDAY + minutes * MINUTE + seconds * SECOND;
