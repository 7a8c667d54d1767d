/** The key of a setting in the file, which is its name without the unit: `idle` for `idleMs`. */
export function writtenKey(setting: string): string {
  return setting.replace(/Ms$/, '');
}
