/**
 * Integrates over time how many requests are at work on a service, exactly and at the cost of an addition for each that
 * comes or goes. Times are the clock's ms.
 */
export class Load {
  #count = 0;
  /** What those who came and went since `#from` add to the integral, taken as if the others were there all the time. */
  #sum = 0;
  #from = 0;

  /** From now on there are so many more, or fewer. */
  change(by: number, now: number): void {
    this.#count += by;
    this.#sum -= by * (now - this.#from);
  }

  /** Returns the integral since the last call, in request × ms, and starts it anew. */
  take(now: number): number {
    const ms = this.#sum + this.#count * (now - this.#from);
    this.#sum = 0;
    this.#from = now;
    return Math.max(0, ms);
  }
}
