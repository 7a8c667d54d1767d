import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { until } from '../support/until.ts';
import { folder, pilotlight, place, serve } from './program.ts';

/** What it said, without a stack trace and in the number of lines expected. */
async function outcome(program: ReturnType<typeof pilotlight>): Promise<{ code: number | null; lines: string[] }> {
  const code = await program.exit;
  expect(program.stderr).not.toMatch(/\n +at |node:internal/);
  return { code, lines: program.stderr.trimEnd().split('\n') };
}

async function occupy(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
}

test('version and help exit 0', async () => {
  const [version, help] = [pilotlight(['version']), pilotlight(['help'])];
  expect(await version.exit).toBe(0);
  expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect(await help.exit).toBe(0);
  expect(help.stdout).toContain('usage: pilotlight COMMAND');
});

test('wrong usage exits 2 with one line', async () => {
  expect(await outcome(pilotlight(['statsu']))).toEqual({
    code: 2,
    lines: ['pilotlight: unknown command "statsu" (did you mean "status"?)'],
  });
  expect((await outcome(pilotlight([]))).code).toBe(2);
});

test('started by a link, as an installed package is, it is the program too', async () => {
  const link = join(await folder(), 'pilotlight');
  await symlink(join(import.meta.dirname, '../../src/pilotlight.ts'), link);
  const program = pilotlight(['version'], { main: link });
  expect(await program.exit).toBe(0);
  expect(program.stdout).not.toBe('');
});

test('a reader that goes away is no error', async () => {
  const program = pilotlight(['help']);
  program.child.stdout?.destroy();
  expect(await program.exit).toBe(0);
  expect(program.stderr).toBe('');
});

test('a reader that goes away ends what would go on for ever', async () => {
  const at = await place();
  await serve(at);
  const program = pilotlight(['status', '--watch', '--admin', at.admin]);
  await until('a first table', () => program.stdout !== '');
  program.child.stdout?.destroy();
  expect(await program.exit).toBe(0);
  expect(program.stderr).toBe('');
});

test('much that is said reaches whoever reads it slowly, to the last line', async () => {
  const file = join(await folder(), 'pilotlight.yaml');
  await writeFile(file, Array.from({ length: 8000 }, (_, index) => `unknown${index}: 1\n`).join(''));
  const program = pilotlight(['check', '-c', file, '--json']);
  expect(await program.exit).toBe(1);
  expect(JSON.parse(program.stdout).problems).toHaveLength(8002);
});

describe('run', () => {
  test('without a configuration exits 1 and says where it looked', async () => {
    const cwd = await folder();
    const { code, lines } = await outcome(pilotlight(['run'], { cwd }));
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    for (const where of [join(cwd, 'pilotlight.yaml'), '/nonexistent/pilotlight/config.yaml', '/etc/pilotlight/']) {
      expect(lines[0]).toContain(where);
    }
  });

  test('with a wrong configuration exits 1 with a line per problem', async () => {
    const cwd = await folder();
    await writeFile(join(cwd, 'pilotlight.yaml'), 'listn: []\nservices:\n  shop: { routes: 5 }\n');
    const { code, lines } = await outcome(pilotlight(['run'], { cwd }));
    expect(code).toBe(1);
    expect(lines.length).toBeGreaterThan(1);
    expect(lines[0]).toMatch(/pilotlight\.yaml:1:1 {2}.*listn.*did you mean "listen"/);
  });

  test('with a configuration that is not there exits 1 with one line', async () => {
    const { code, lines } = await outcome(pilotlight(['run', '-c', '/nonexistent/a.yaml']));
    expect({ code, lines }).toEqual({ code: 1, lines: ['/nonexistent/a.yaml: no such file'] });
  });

  test.each(['listen', 'admin'])(
    'with its %s port in use exits 1 with one line and leaves nothing locked',
    async (which) => {
      const at = await place();
      const port = which === 'listen' ? at.port : at.adminPort;
      await occupy(port);
      const { code, lines } = await outcome(pilotlight(['run', '-c', at.file, '--log-level', 'error']));
      expect(code).toBe(1);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(new RegExp(`^pilotlight: .*127\\.0\\.0\\.1:${port}.* in use`));
      // Had the lock stayed with a process that is gone, this would be the first to know.
      await rm(join(at.folder, 'state', 'instance'));
      expect(await rm(join(at.folder, 'state', 'lock')).catch((error) => error.code)).toBe('ENOENT');
    },
  );

  test('with a state directory that another one holds exits 1 with one line', async () => {
    const first = await place();
    const program = await serve(first);
    const second = await place({ state: join(first.folder, 'state') });
    const { code, lines } = await outcome(pilotlight(['run', '-c', second.file, '--log-level', 'error']));
    expect(code).toBe(1);
    expect(lines).toEqual([
      `pilotlight: the state directory ${join(first.folder, 'state')} is in use by another Pilotlight (process ${program.child.pid})`,
    ]);
    expect((await fetch(`${first.admin}/readyz`)).status).toBe(200);
  });

  test('with a state directory that cannot be one exits 1 with one line', async () => {
    const path = await folder();
    await mkdir(join(path, 'a'));
    await writeFile(join(path, 'a', 'file'), '');
    const at = await place({ state: join(path, 'a', 'file') });
    const { code, lines } = await outcome(pilotlight(['run', '-c', at.file]));
    expect(code).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('cannot be used');
  });
});
