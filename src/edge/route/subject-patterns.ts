import { Glob } from '../io/glob.ts';

/** Subjects by patterns in which `*` stands for anything, compared without regard to case. */
export class SubjectPatterns {
  readonly #patterns: readonly Glob[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => new Glob(pattern));
  }

  has(subject: string): boolean {
    const text = subject.toLowerCase();
    return this.#patterns.some((pattern) => pattern.matches(text));
  }
}
