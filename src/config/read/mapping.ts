/** A mapping of the file. */
export type Mapping = Record<string, unknown>;

/** Whether a value is a mapping of the file. */
export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
