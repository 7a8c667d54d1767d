/** The members of a body that is a JSON object; undefined where it is none. */
export function readMembers(body: string): Record<string, unknown> | undefined {
  try {
    const asked: unknown = JSON.parse(body);
    return typeof asked === 'object' && asked !== null ? (asked as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
