import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pilotlight } from '../main/program.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { blocks } from './pages.ts';

/** The block of `docs/start.md` in a language, of which there is one. */
function shown(language: string): string {
  const found = blocks.filter(({ place, info }) => place.startsWith('docs/start.md:') && info === language);
  expect(found).toHaveLength(1);
  return found[0]?.text as string;
}

test('the first service of the page is checked, wakes for a request, falls asleep and wakes again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-start-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [port, adminPort] = [await freePort(), await freePort()];
  // Other ports and a shorter time than the page, as this may not be the only test that runs.
  const file = shown('yaml').replace('127.0.0.1:8080', `127.0.0.1:${port}`).replace('idle: 10s', 'idle: 2s');
  const own = `admin: { address: "127.0.0.1:${adminPort}" }\nstate: state\n`;
  await writeFile(join(folder, 'server.mjs'), shown('js'));
  await writeFile(join(folder, 'pilotlight.yaml'), own + file);
  const say = async (...args: string[]) => {
    const command = pilotlight(args, { cwd: folder });
    expect([await command.exit, command.stderr]).toEqual([0, '']);
    return command.stdout;
  };

  expect(await say('check')).toMatch(/^pilotlight\.yaml is valid: 1 service, 1 route, 1 listener, 0 warnings\n/);
  const program = pilotlight(['run'], { cwd: folder });
  const readyz = () => fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
  await until('it serves', async () => {
    if (program.child.exitCode !== null) throw new Error(program.stderr);
    return (await readyz())?.status === 200;
  });
  const state = async () => {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/v1/services/hello`);
    return ((await answer.json()) as { state: string }).state;
  };
  expect(await say('status')).toMatch(/^hello +asleep +0 /m);

  const cold = await fetch(`http://127.0.0.1:${port}/`);
  expect(cold.headers.get('x-cold-start')).toBe('1');
  expect(cold.headers.get('server-timing')).toContain('start;dur=');
  const first = await cold.text();
  expect(first).toMatch(/^hello from process \d+\n$/);
  const warm = await fetch(`http://127.0.0.1:${port}/`);
  expect([warm.headers.get('x-cold-start'), await warm.text()]).toEqual([null, first]);

  await until('it sleeps', async () => (await state()) === 'asleep', 60_000);
  const why = await say('why', 'hello');
  expect(why).toMatch(/wake 0→1: 1 request waits/);
  expect(why).toMatch(/sleep 1→0: idle for 2 s/);

  const again = await fetch(`http://127.0.0.1:${port}/`);
  expect(again.headers.get('x-cold-start')).toBe('1');
  expect(await again.text()).not.toBe(first);
});
