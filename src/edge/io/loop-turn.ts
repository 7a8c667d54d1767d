let turn = 0;
let isCounted = false;

/** The number of the present turn of the event loop: the same for all that happens within one. */
export function loopTurn(): number {
  if (!isCounted) {
    isCounted = true;
    setImmediate(next);
  }
  return turn;
}

function next(): void {
  turn++;
  isCounted = false;
}
