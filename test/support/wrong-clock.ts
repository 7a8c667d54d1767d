import { globSync } from 'node:fs';
import { aptInstall } from './debian.ts';

const LIBRARY = '/usr/lib/*/faketime/libfaketime.so.1';

/**
 * What a program is started with that has the wrong time; its clock that only runs forward is the machine's.
 * @param minutes by which its clock goes ahead; less than 0: behind
 */
export async function wrongClock(minutes: number): Promise<Record<string, string>> {
  if (globSync(LIBRARY).length === 0) await aptInstall(['libfaketime']);
  const [library] = globSync(LIBRARY);
  if (library === undefined) throw new Error(`the package libfaketime has no ${LIBRARY}`);
  const offset = minutes < 0 ? `${minutes}m` : `+${minutes}m`;
  return { LD_PRELOAD: library, FAKETIME: offset, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
