/** Whether a host, or a `*.suffix`, is one of these, or lies below a `*.suffix` of them. */
export function hostIsAmong(host: string, patterns: readonly string[]): boolean {
  const known = new Set(patterns);
  return known.has(host) || widerPatterns(host).some((pattern) => known.has(pattern));
}

/** The `*.suffix` patterns that a host, or a pattern, lies below: of `a.b.c` these are `*.b.c` and `*.c`. */
export function widerPatterns(host: string): string[] {
  const labels = host.replace(/^\*\./, '').split('.');
  const isPattern = host.startsWith('*.');
  return labels
    .map((_, index) => `*.${labels.slice(isPattern ? index : index + 1).join('.')}`)
    .filter((p) => p !== '*.');
}
