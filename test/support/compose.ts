import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findProgram, isExecutable, run } from './command.ts';
import { aptInstall, unpackFromRelease } from './debian.ts';
import { say } from './say.ts';

/** The first Debian release whose package of Compose is a plugin of `docker`; it runs on the one before, too. */
const RELEASE = 'trixie';
const CACHE = join(import.meta.dirname, '../../node_modules/.cache/pilotlight');
const PLUGIN = 'cli-plugins/docker-compose';

/** Runs a command line in a folder and gives what it printed; `docker compose` is there, and uses the engine. */
type ComposeShell = (line: string) => Promise<string>;

/** A shell in which `docker compose` works: the machine's own, else Debian's package, kept for later runs. */
export async function composeShell(socket: string, cwd: string): Promise<ComposeShell> {
  if (findProgram('docker') === undefined) await aptInstall(['docker.io']);
  const own = { DOCKER_HOST: `unix://${socket}` };
  const hasPlugin = await run('docker', ['compose', 'version'], { env: own }).then(
    () => true,
    () => false,
  );
  const env = hasPlugin ? own : { ...own, DOCKER_CONFIG: await fetchedPlugin() };
  return (line) => run('sh', ['-ec', line], { cwd, env });
}

/** A folder of settings of `docker` with the plugin in it. */
async function fetchedPlugin(): Promise<string> {
  const kept = join(CACHE, `compose-${RELEASE}`);
  if (isExecutable(join(kept, PLUGIN))) return kept;
  say(`fetching Docker Compose from Debian ${RELEASE} into ${kept}`);
  const folder = `${kept}.${process.pid}`;
  try {
    await mkdir(folder, { recursive: true });
    await unpackFromRelease(RELEASE, 'docker-compose', folder);
    await mkdir(dirname(join(folder, 'kept', PLUGIN)), { recursive: true });
    await cp(join(folder, 'usr/libexec/docker', PLUGIN), join(folder, 'kept', PLUGIN));
    await rename(join(folder, 'kept'), kept);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return kept;
}
