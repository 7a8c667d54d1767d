import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ServiceStatus } from '../../src/model/status.ts';
import { pilotlight } from '../main/program.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { blockBeginning, blocks, linesOf } from './pages.ts';
import { PageShell } from './run/page-shell.ts';

/** The block of `docs/start.md` in a language, of which there is one. */
function shown(language: string): string {
  const found = blocks.filter(({ place, info }) => place.startsWith('docs/start.md:') && info === language);
  expect(found).toHaveLength(1);
  return found[0]?.text as string;
}

test('the first service of the page is checked, wakes for a request, falls asleep and wakes again', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const shell = await PageShell.open();
  const { folder } = shell;
  // Other ports than the page, as this may not be the only test that runs.
  const file = shown('yaml').replace('127.0.0.1:8080', `127.0.0.1:${port}`);
  const own = `admin: { address: "127.0.0.1:${adminPort}" }\nstate: state\n`;
  await writeFile(join(folder, 'server.mjs'), shown('js'));
  await writeFile(join(folder, 'pilotlight.yaml'), own + file);
  const commands = (begins: string) =>
    linesOf(blockBeginning('docs/start.md', begins)).map((line) =>
      line.replace(/ +#.*/, '').replace('8080', `${port}`),
    );
  const [check, start] = commands('pilotlight check') as [string, string];
  const [status, curl] = commands('pilotlight status             # hello is asleep') as [string, string];
  const [again, wait, asleep, why] = commands('pilotlight status             # hello is ready') as [
    ...[string, string, string, string],
  ];

  expect(await shell.run(check)).toMatch(/^pilotlight\.yaml is valid: 1 service, 1 route, 1 listener, 0 warnings\n/);
  expect(start).toBe('pilotlight run');
  const program = pilotlight(['run'], { cwd: folder });
  const readyz = () => fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined);
  await until('it serves', async () => {
    if (program.child.exitCode !== null) throw new Error(program.stderr);
    return (await readyz())?.status === 200;
  });
  expect(await shell.run(status)).toMatch(/^hello +asleep +0 /m);

  const cold = await shell.run(curl);
  expect(cold).toMatch(/^X-Cold-Start: 1\r$/m);
  expect(cold).toMatch(/^Server-Timing: .*start;dur=/m);
  expect(cold).toMatch(/^hello from process \d+$/m);
  const warm = await shell.run(curl);
  expect(warm).not.toContain('X-Cold-Start');
  expect(processIn(warm)).toBe(processIn(cold));
  expect(await shell.run(again)).toMatch(/^hello +(?:ready +1|retiring|asleep) /m);

  expect(wait).toBe('sleep 12');
  const state = async () =>
    ((await (await fetch(`http://127.0.0.1:${adminPort}/v1/services/hello`)).json()) as ServiceStatus).state;
  await until('it sleeps', async () => (await state()) === 'asleep', 60_000);
  expect(await shell.run(asleep)).toMatch(/^hello +asleep +0 /m);
  const told = await shell.run(why);
  expect(told).toMatch(/wake 0→1: 1 request waits/);
  expect(told).toMatch(/sleep 1→0: idle for 10 s/);

  const woken = await shell.run(curl);
  expect(woken).toContain('X-Cold-Start: 1');
  expect(processIn(woken)).not.toBe(processIn(cold));
});

const processIn = (answer: string) => /from process (\d+)/.exec(answer)?.[1];
