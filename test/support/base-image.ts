import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { findProgram } from './command.ts';
import { aptInstall } from './debian.ts';
import { type DockerCall, expectStatus } from './docker-api.ts';
import { ensureNodeImage } from './images.ts';

const TRUST = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Makes an image that stands in for a public Node image where no registry of images is reachable: the Node of the
 * tests, this machine's npm, a shell with the usual small programs, an init, and the certificates this machine trusts.
 */
export async function ensureBaseImage(docker: DockerCall, tag: string): Promise<void> {
  const node = await ensureNodeImage(docker);
  await ensurePackages();
  const npm = dirname(dirname(await realpath(findProgram('npm') ?? '/usr/bin/npm')));
  await inFolder(async (stage) => {
    const root = join(stage, 'root');
    for (const folder of ['bin', 'usr/local/bin', 'usr/local/lib/node_modules', 'etc/ssl/certs', 'var/lib']) {
      await mkdir(join(root, folder), { recursive: true });
    }
    await cp('/bin/busybox', join(root, 'bin/busybox'));
    await cp('/usr/bin/tini-static', join(root, 'usr/local/bin/tini'));
    await cp(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, dereference: true });
    await writeFile(
      join(root, 'usr/local/bin/npm'),
      '#!/bin/sh\nexec node /usr/local/lib/node_modules/npm/bin/npm-cli.js "$@"\n',
    );
    await chmod(join(root, 'usr/local/bin/npm'), 0o755);
    if (existsSync(TRUST)) await cp(TRUST, join(root, TRUST));
    const trust = existsSync(TRUST) ? `ENV NODE_EXTRA_CA_CERTS=${TRUST}\n` : '';
    await writeFile(
      join(stage, 'Dockerfile'),
      `FROM ${node}\nCOPY root/ /\n` +
        'RUN ["/bin/busybox", "sh", "-c", "/bin/busybox --install -s /bin && ln -s /bin/env /usr/bin/env"]\n' +
        `ENV PATH=/usr/local/bin:/usr/bin:/bin HOME=/tmp\n${trust}`,
    );
    await build(docker, stage, ['.'], new URLSearchParams({ t: tag, rm: '1', forcerm: '1' }));
  });
}

/** Builds from a folder, of which only `entries` are sent. The commands of the build reach the network of this machine. */
export async function build(
  docker: DockerCall,
  folder: string,
  entries: readonly string[],
  query: URLSearchParams,
): Promise<string> {
  query.set('networkmode', 'host');
  const tar = spawn('tar', ['-C', folder, '--exclude=node_modules/.cache', '-c', ...entries], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const context = await buffer(tar.stdout);
  return expectStatus(await docker('POST', `/build?${query}`, context), 200).text;
}

async function ensurePackages(): Promise<void> {
  const missing = [];
  if (!(await isStatic('/bin/busybox'))) missing.push('busybox-static');
  if (!existsSync('/usr/bin/tini-static')) missing.push('tini');
  if (missing.length > 0) await aptInstall(missing);
}

/** Whether a program exists and asks for no loader, which the image may not have. */
async function isStatic(path: string): Promise<boolean> {
  if (!existsSync(path)) return false;
  return !(await readFile(path)).subarray(0, 4096).includes('ld-linux');
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-base-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
