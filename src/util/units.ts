const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const SIZE_UNITS: Record<string, number> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
};

/** Parses `250ms`, `5s`, `2m`, `1h`, `1.5s` into milliseconds; undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  return match === null ? undefined : Number(match[1]) * (DURATION_UNITS[match[2] as string] as number);
}

/** Parses `16KiB`, `256MiB`, `1GB`, `100B` into bytes (whole); undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|KB|MB|GB)$/.exec(text.trim());
  return match === null ? undefined : Math.round(Number(match[1]) * (SIZE_UNITS[match[2] as string] as number));
}

/** Milliseconds for people: `180ms`, `2.5s`, `3m`, `1h 30m`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)}ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(ms < 10_000 ? 2 : 1))}s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 60) {
    const seconds = Math.round((ms - Math.floor(ms / 60_000) * 60_000) / 1000);
    return seconds === 0 || seconds === 60 ? `${minutes}m` : `${Math.floor(ms / 60_000)}m ${seconds}s`;
  }
  return minutes % 60 === 0 ? `${minutes / 60}h` : `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
}
