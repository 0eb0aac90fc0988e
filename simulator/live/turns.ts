/** Runs tasks in the order they come, so many at a time. A task that fails ends its turn. */
export function turns(most: number): (task: () => Promise<void>) => void {
  const queue: (() => Promise<void>)[] = [];
  let running = 0;
  const next = () => {
    while (running < most) {
      const task = queue.shift();
      if (!task) return;
      running++;
      void task()
        .catch(() => {})
        .finally(() => {
          running--;
          next();
        });
    }
  };
  return (task) => {
    queue.push(task);
    next();
  };
}
