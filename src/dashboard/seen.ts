/** How far beyond the window something counts as seen. */
const MARGIN = '400px';

/** Tells elements when they come into view: what nobody sees need not be drawn. */
export class Seen {
  // Weak: what is taken off the page unseen is told of by nobody.
  readonly #seen = new WeakSet<Element>();
  readonly #draw = new WeakMap<Element, () => void>();
  readonly #observer = new IntersectionObserver((changes) => this.#take(changes), { rootMargin: MARGIN });

  /** @param draw draws the element when it comes into view */
  follow(element: Element, draw: () => void): void {
    this.#draw.set(element, draw);
    this.#observer.observe(element);
  }

  has(element: Element): boolean {
    return this.#seen.has(element);
  }

  close(): void {
    this.#observer.disconnect();
  }

  #take(changes: readonly IntersectionObserverEntry[]): void {
    for (const { target, isIntersecting } of changes) {
      if (isIntersecting) {
        this.#seen.add(target);
        this.#draw.get(target)?.();
      } else this.#seen.delete(target);
      if (target.isConnected) continue;
      this.#draw.delete(target);
      this.#observer.unobserve(target);
    }
  }
}
