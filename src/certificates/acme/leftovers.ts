import { judgeCertificate } from '../read-certificate.ts';
import type { OrderFiles } from './order-files.ts';

/** What is kept for one host, without its ending. */
const OF_HOST = /^(.+\/certificates\/.+)\.(?:pem|json|order)$/;

/**
 * What is kept for hosts that nothing is ordered for any more, where there is no certificate that could still be used.
 * @param inUse paths that are not left over
 * @param now ms since the epoch
 */
export async function leftovers(files: OrderFiles, inUse: ReadonlySet<string>, now: number): Promise<string[]> {
  const byHost = new Map<string, string[]>();
  for (const path of await files.list()) {
    const [, host] = OF_HOST.exec(path) ?? [];
    if (host !== undefined && !inUse.has(path)) byHost.set(host, [...(byHost.get(host) ?? []), path]);
  }
  const left: string[] = [];
  for (const [host, paths] of byHost) if (!(await isUsable(files, `${host}.pem`, now))) left.push(...paths);
  return left;
}

async function isUsable(files: OrderFiles, path: string, now: number): Promise<boolean> {
  const text = await files.read(path);
  if (text === undefined) return false;
  const reading = judgeCertificate(text, undefined, { cert: path, key: undefined });
  return !('fault' in reading) && reading.facts.notAfter > now;
}
