import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { run } from './command.ts';
import { type DockerCall, expectStatus } from './docker-api.ts';

/** Node and nothing else: the Node that runs the tests, its libraries, `/tmp` and a user `app` (1000). */
export const NODE_IMAGE = 'pilotlight-test/node:1';

const CONTENT_LABEL = 'pilotlight-test.content';

/** A health check in Docker's own terms; durations with a unit, such as `200ms`. */
export interface Healthcheck {
  /** The command and its arguments; there is no shell in the image. */
  test: readonly string[];
  interval?: string;
  timeout?: string;
  startPeriod?: string;
  retries?: number;
}

interface AppImage {
  /** `name:tag`; an image of that tag with the same content is used again. */
  tag: string;
  /** Container path → path of the file or folder on this machine. */
  files: Readonly<Record<string, string>>;
  cmd: readonly string[];
  env?: Readonly<Record<string, string>>;
  healthcheck?: Healthcheck;
  /** TCP ports. */
  exposed?: readonly number[];
}

/** Makes {@link NODE_IMAGE} unless the engine has it with the same content. */
export async function ensureNodeImage(docker: DockerCall): Promise<string> {
  const files = [process.execPath, ...(await librariesOf(process.execPath))];
  const factsOf = async (file: string): Promise<unknown[]> => {
    const { size, mtimeMs } = await stat(file);
    return [file, size, mtimeMs];
  };
  const facts = await Promise.all(files.map(factsOf));
  const content = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
  if (await hasImage(docker, NODE_IMAGE, content)) return NODE_IMAGE;

  const places = Object.fromEntries(files.map((file) => [file === process.execPath ? '/usr/bin/node' : file, file]));
  await withStage(places, async (stage) => {
    await mkdir(join(stage, 'etc'));
    await writeFile(join(stage, 'etc/passwd'), 'root:x:0:0::/:/usr/bin/node\napp:x:1000:1000::/:/usr/bin/node\n');
    await writeFile(join(stage, 'etc/group'), 'root:x:0:\napp:x:1000:\n');
    await mkdir(join(stage, 'tmp'));
    await chmod(join(stage, 'tmp'), 0o1777);
    const changes = ['ENV PATH=/usr/bin', 'CMD ["node"]', `LABEL ${CONTENT_LABEL}=${content}`];
    const [repo = '', tag = ''] = NODE_IMAGE.split(':');
    const query = new URLSearchParams([
      ['fromSrc', '-'],
      ['repo', repo],
      ['tag', tag],
    ]);
    for (const change of changes) query.append('changes', change);
    expectStatus(await docker('POST', `/images/create?${query}`, packStage(stage)), 200);
  });
  return NODE_IMAGE;
}

/** Builds an image of an app on top of {@link NODE_IMAGE}, whose layer all of them share. Returns its tag. */
export async function buildAppImage(docker: DockerCall, app: AppImage): Promise<string> {
  await ensureNodeImage(docker);
  const places = Object.fromEntries(Object.entries(app.files).map(([path, file]) => [`/files/${path}`, file]));
  return withStage(places, async (stage) => {
    await mkdir(join(stage, 'files'), { recursive: true });
    await writeFile(join(stage, 'Dockerfile'), dockerfile(app));
    const context = await buffer(packStage(stage));
    const content = createHash('sha256').update(context).digest('hex');
    if (await hasImage(docker, app.tag, content)) return app.tag;
    const labels = JSON.stringify({ [CONTENT_LABEL]: content });
    const query = new URLSearchParams({ t: app.tag, labels, rm: '1', forcerm: '1' });
    expectStatus(await docker('POST', `/build?${query}`, context), 200);
    return app.tag;
  });
}

function dockerfile(app: AppImage): string {
  const { cmd, env = {}, exposed = [], healthcheck } = app;
  const lines = [`FROM ${NODE_IMAGE}`, 'COPY files/ /'];
  for (const [name, value] of Object.entries(env)) lines.push(`ENV ${name}=${quoted(value)}`);
  for (const port of exposed) lines.push(`EXPOSE ${port}`);
  if (healthcheck !== undefined) lines.push(healthcheckLine(healthcheck));
  lines.push(`CMD ${JSON.stringify(cmd)}`);
  return `${lines.join('\n')}\n`;
}

/** Keeps the builder from replacing variables in the value. */
function quoted(value: string): string {
  return JSON.stringify(value).replaceAll('$', '\\$');
}

function healthcheckLine({ test, interval, timeout, startPeriod, retries }: Healthcheck): string {
  const options = { interval, timeout, 'start-period': startPeriod, retries };
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return ['HEALTHCHECK', ...given.map(([name, value]) => `--${name}=${value}`), 'CMD', JSON.stringify(test)].join(' ');
}

async function hasImage(docker: DockerCall, tag: string, content: string): Promise<boolean> {
  type Inspected = { Config?: { Labels?: Record<string, string> | null } };
  const { status, json } = await docker<Inspected>('GET', `/images/${tag}/json`);
  return status === 200 && json.Config?.Labels?.[CONTENT_LABEL] === content;
}

/** The shared libraries of a program and the loader, as paths that the loader looks at. */
async function librariesOf(program: string): Promise<string[]> {
  const lines = (await run('ldd', [program])).split('\n');
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}

/** Lays out an archive as links to the files that go into it: nothing is copied. */
async function withStage<T>(places: Record<string, string>, work: (stage: string) => Promise<T>): Promise<T> {
  const stage = await mkdtemp(join(tmpdir(), 'pilotlight-image-'));
  try {
    for (const [path, file] of Object.entries(places)) {
      const link = join(stage, path);
      await mkdir(dirname(link), { recursive: true });
      await symlink(file, link);
    }
    return await work(stage);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

/** The same files give the same bytes, whoever owns them and whenever they were written. */
function packStage(stage: string): Readable {
  const stable = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner'];
  const args = ['-C', stage, '--dereference', '--hard-dereference', ...stable, '-c', '.'];
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  tar.on('error', (error) => tar.stdout.destroy(error));
  return tar.stdout;
}
