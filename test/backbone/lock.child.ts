/** Takes a lock, says so, and keeps it until it is killed: `lock.child.ts PATH`. */
import { takeLock } from '../../backbone/lock.ts';

await takeLock(process.argv[2]!);
console.log('taken');
setInterval(() => {}, 60_000);
