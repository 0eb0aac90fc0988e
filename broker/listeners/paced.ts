/**
 * Has things begun in the order in which they were asked for, so many in each turn of the event loop: what costs the loop a millisecond
 * each would otherwise let nobody else have a turn while a whole fleet comes at once.
 */
export function paced(aTurn: number): (begin: () => void) => void {
  let waiting: (() => void)[] = [];
  let isGoingOn = false;
  const turn = () => {
    const now = waiting.slice(0, aTurn);
    waiting = waiting.slice(aTurn);
    isGoingOn = waiting.length > 0;
    if (isGoingOn) setImmediate(turn);
    for (const begin of now) begin();
  };
  return (begin) => {
    waiting.push(begin);
    if (isGoingOn) return;
    isGoingOn = true;
    setImmediate(turn);
  };
}
