/**
 * For `node --import`: moves the wall clock of this process, and nothing else of it, by as many milliseconds as the file MOVED_CLOCK
 * says. (libfaketime also bends how long native threads wait, those of LMDB among them.)
 */
import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 50;
const RealDate = Date;
let movedMs = 0;

setInterval(() => {
  movedMs = Number(readFileSync(process.env.MOVED_CLOCK, 'utf8'));
}, LOOK_EVERY_MS).unref();

globalThis.Date = class extends RealDate {
  constructor(...args) {
    super(...(args.length === 0 ? [RealDate.now() + movedMs] : args));
  }

  static now() {
    return RealDate.now() + movedMs;
  }
};
