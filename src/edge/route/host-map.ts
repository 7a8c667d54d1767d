import { HostTree } from './host-tree.ts';

/** Values by host name: exact before the longest `*.suffix`, of any depth. */
export class HostMap<Value> {
  readonly #exact = new Map<string, Value>();
  readonly #wild = new HostTree<Value>();

  /** The first value of a pattern stays. @param pattern a name, or `*.` and one; lower case */
  add(pattern: string, value: Value): void {
    if (pattern.startsWith('*.')) this.#wild.of(pattern.slice(2), () => value);
    else if (!this.#exact.has(pattern)) this.#exact.set(pattern, value);
  }

  /** @param name lower case */
  of(name: string): Value | undefined {
    return this.#exact.get(name) ?? this.#wild.longest(name);
  }
}
