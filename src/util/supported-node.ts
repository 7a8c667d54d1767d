/** The oldest Node that runs this program, as `engines` in package.json says: [major, minor]. */
export const OLDEST_NODE = [22, 19] as const;

/** Why this version of Node cannot run the program, in one line; undefined where it can. */
export function nodeRefusal(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `this is Node ${version}: Pilotlight needs Node ${OLDEST_NODE.join('.')} or newer`;
}
