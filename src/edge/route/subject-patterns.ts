/** Subjects by patterns in which `*` stands for anything, compared without regard to case. */
export class SubjectPatterns {
  readonly #patterns: readonly (readonly string[])[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => pattern.toLowerCase().split('*'));
  }

  has(subject: string): boolean {
    const text = subject.toLowerCase();
    return this.#patterns.some((parts) => fits(text, parts));
  }
}

/** Whether a text is the parts in their order with anything between them. */
function fits(text: string, [first = '', ...rest]: readonly string[]): boolean {
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return from <= text.length - last.length;
}
