import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, run } from './command.ts';
import { say } from './say.ts';

/** One archive that apt reads packages from. */
interface AptSource {
  uri: string;
  suites: string[];
  components: string[];
}

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs Debian packages, refreshing the package lists only if the first attempt fails. The services that the
 * packages bring are not started: the tests start what they need themselves.
 */
export async function aptInstall(packages: readonly string[]): Promise<void> {
  const names = packages.join(' ');
  if (findProgram('apt-get') === undefined) throw new Error(`cannot install ${names}: there is no apt-get here`);
  if (process.getuid?.() !== 0) throw new Error(`cannot install ${names}: that needs root`);

  const aptGet = (...args: string[]): Promise<string> =>
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
  const install = (): Promise<string> => aptGet('install', '-y', '--no-install-recommends', ...packages);

  say(`installing the Debian packages ${names}`);
  await withoutStartingServices(async () => {
    try {
      await install();
    } catch {
      say('refreshing the package lists (apt-get update), then trying again');
      await aptGet('update');
      await install();
    }
  });
}

/** Holds the standard veto on service starts, unless the machine has a policy of its own. */
async function withoutStartingServices(work: () => Promise<void>): Promise<void> {
  if (existsSync(POLICY)) return work();
  await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    await work();
  } finally {
    await rm(POLICY, { force: true });
  }
}

/**
 * Unpacks a package of another Debian release into a folder, without installing it and without touching the machine's
 * own package lists. The archive is the one that the machine itself uses.
 */
export async function unpackFromRelease(release: string, name: string, folder: string): Promise<void> {
  if (findProgram('apt-get') === undefined) throw new Error(`cannot fetch ${name}: there is no apt-get here`);
  const archives = debianArchives(await readAptSources(), await ownRelease());
  if (archives.length === 0) throw new Error(`cannot fetch ${name}: no Debian archive in /etc/apt`);

  const apt = join(folder, 'apt');
  for (const part of ['lists/partial', 'cache/archives/partial']) await mkdir(join(apt, part), { recursive: true });
  const list = join(apt, 'sources.list');
  const trust = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : '';
  await writeFile(list, archives.map((uri) => `deb ${trust}${uri} ${release} main\n`).join(''));

  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
    'Acquire::Languages': 'none',
    // The folder may lie where apt's unprivileged user cannot write.
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  await run('apt-get', [...options, 'update']);
  await run('apt-get', [...options, 'download', name], { cwd: apt });

  const archive = (await readdir(apt)).find((file) => file.endsWith('.deb'));
  if (archive === undefined) throw new Error(`apt-get download ${name} left no package`);
  await run('dpkg', ['-x', join(apt, archive), folder]);
  await rm(apt, { recursive: true });
}

/** The archives that carry the given release's own packages: not its security updates, not third parties. */
export function debianArchives(sources: readonly AptSource[], release: string): string[] {
  const names = [release, 'stable', 'oldstable', 'testing', 'sid', 'unstable'];
  const own = sources.filter(
    (source) => source.components.includes('main') && source.suites.some((suite) => names.includes(suite)),
  );
  return [...new Set(own.map((source) => source.uri))];
}

/** Reads a `.sources` file: paragraphs of fields, as sources.list(5) describes. */
export function parseDeb822(text: string): AptSource[] {
  return text.split(/\n\s*\n/).flatMap((paragraph) => {
    const fields = deb822Fields(paragraph);
    const enabled = !['no', 'false', '0'].includes(fields.get('enabled')?.[0] ?? 'yes');
    if (!enabled || !fields.get('types')?.includes('deb')) return [];
    const [suites, components] = [fields.get('suites') ?? [], fields.get('components') ?? []];
    return (fields.get('uris') ?? []).map((uri) => ({ uri, suites, components }));
  });
}

function deb822Fields(paragraph: string): Map<string, string[]> {
  const lines = paragraph.split('\n').filter((line) => !line.startsWith('#'));
  const joined = lines.join('\n').replace(/\n[ \t]+/g, ' ');
  return new Map(
    joined.split('\n').flatMap((line): [string, string[]][] => {
      const colon = line.indexOf(':');
      if (colon < 0) return [];
      return [
        [
          line.slice(0, colon).trim().toLowerCase(),
          line
            .slice(colon + 1)
            .trim()
            .split(/\s+/),
        ],
      ];
    }),
  );
}

/** Reads a `.list` file: one `deb [options] uri suite components…` per line. */
export function parseOneLine(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line) ?? [];
    if (uri === undefined || suite === undefined) return [];
    return [{ uri, suites: [suite], components: (components ?? '').split(/\s+/).filter(Boolean) }];
  });
}

async function readAptSources(): Promise<AptSource[]> {
  const parts = await readdir('/etc/apt/sources.list.d').catch(() => []);
  const files = ['/etc/apt/sources.list', ...parts.map((file) => join('/etc/apt/sources.list.d', file))];
  const read = async (file: string): Promise<AptSource[]> => {
    if (file.endsWith('.sources')) return parseDeb822(await readFile(file, 'utf8'));
    if (file.endsWith('.list')) return parseOneLine(await readFile(file, 'utf8').catch(() => ''));
    return [];
  };
  return (await Promise.all(files.map(read))).flat();
}

async function ownRelease(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^VERSION_CODENAME=(.+)$/m.exec(text)?.[1] ?? '';
}
