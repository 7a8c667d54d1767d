import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram, isExecutable } from './command.ts';
import { unpackFromRelease } from './debian.ts';
import { say } from './say.ts';

/** The last Debian release that has a package of Consul. */
const RELEASE = 'bullseye';
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/pilotlight');

/** The path of a Consul that runs: CONSUL_BIN, else `consul` on the PATH, else Debian's package, kept for later runs. */
export async function findOrFetchConsul(): Promise<string> {
  const named = process.env['CONSUL_BIN'];
  if (named !== undefined && named !== '') {
    if (!isExecutable(named)) throw new Error(`CONSUL_BIN names ${named}, which is not a program`);
    return named;
  }
  const kept = join(CACHE, `consul-${RELEASE}`, 'consul');
  return findProgram('consul') ?? (isExecutable(kept) ? kept : fetchConsul(kept));
}

async function fetchConsul(target: string): Promise<string> {
  say(`fetching Consul from Debian ${RELEASE} into ${dirname(target)}`);
  const folder = `${dirname(target)}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true });
    await unpackFromRelease(RELEASE, 'consul', folder);
    await mkdir(dirname(target), { recursive: true });
    await rename(join(folder, 'usr/bin/consul'), target);
  } catch (cause) {
    const advice = 'install Consul, or name its program in CONSUL_BIN';
    throw new Error(`no Consul here and none to be had from Debian ${RELEASE}: ${advice}\n${cause}`, { cause });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return target;
}
