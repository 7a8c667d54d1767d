/**
 * A case-insensitive pattern in which `*` matches anything. It looks for the parts between the stars one after the
 * other, each at its first place. A regular expression with a few stars could take minutes on a text that a client
 * chooses.
 */
export class Glob {
  readonly #parts: string[];

  constructor(pattern: string) {
    this.#parts = pattern.toLowerCase().split(/\*+/);
  }

  /** @param subject in lower case */
  matches(subject: string): boolean {
    const first = this.#parts[0] as string;
    const last = this.#parts[this.#parts.length - 1] as string;
    if (this.#parts.length === 1) return subject === first;
    const end = subject.length - last.length;
    if (!subject.startsWith(first) || !subject.endsWith(last)) return false;
    let at = first.length;
    for (let i = 1; i < this.#parts.length - 1; i++) {
      const part = this.#parts[i] as string;
      const found = subject.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= end;
  }
}
