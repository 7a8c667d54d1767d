/** Makes equal parts of many values one: 10,000 services have most of their sections in common. */
export class Pool {
  readonly #parts = new Map<string, unknown>();
  /** The same, for those that come again as they are. */
  readonly #same = new Set<object>();

  /** @param whole plain data whose direct parts are replaced by equal ones that were seen before */
  share<T extends object>(whole: T): T {
    for (const key of Object.keys(whole) as (keyof T)[]) {
      const part = whole[key];
      if (typeof part === 'object' && part !== null) whole[key] = this.#known(part);
    }
    return whole;
  }

  #known<T extends object>(part: T): T {
    if (this.#same.has(part)) return part;
    const key = JSON.stringify(part);
    const known = this.#parts.get(key) as T | undefined;
    if (known !== undefined) return known;
    this.#parts.set(key, part);
    this.#same.add(part);
    return part;
  }
}

/** Freezes plain data with all that is in it. */
export function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
