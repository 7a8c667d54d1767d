import { readdir } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { folder, type Program, pilotlight } from './program.ts';

interface Demo {
  program: Program;
  url: string;
  admin: string;
  /** Where temporary folders are made. */
  temporary: string;
}

async function demo(): Promise<Demo> {
  const [port, adminPort, temporary] = [await freePort(), await freePort(), await folder()];
  const env = {
    PILOTLIGHT_DEMO_PORT: String(port),
    PILOTLIGHT_DEMO_ADMIN_PORT: String(adminPort),
    TMPDIR: temporary,
  };
  const program = pilotlight(['demo'], { env });
  await until('the demo says what to try', () => {
    if (program.child.exitCode !== null) throw new Error(program.stderr);
    return program.stdout.includes('Ctrl-C');
  });
  return { program, url: `http://127.0.0.1:${port}`, admin: `http://127.0.0.1:${adminPort}`, temporary };
}

test('the demo says what to try, then a line per event, and leaves nothing behind', async () => {
  const { program, url, admin, temporary } = await demo();
  expect(program.stdout).toContain(`curl -i ${url}/hello`);
  expect(program.stdout).toContain(`status --watch --admin ${admin}`);
  expect(await (await fetch(`${url}/hello`)).text()).toMatch(/^Hello from process \d+ on port \d+\.\n$/);
  const echo = await fetch(`${url}/echo`, { method: 'POST', body: 'any body' });
  expect(await echo.json()).toMatchObject({ method: 'POST', body: { text: 'any body' } });
  await until('events', () => /\d\d:\d\d:\d\d\.\d{3} {2}echo {3}ready in \d+ ms/.test(program.stdout));
  expect(program.stdout).toMatch(/\d\d:\d\d:\d\d\.\d{3} {2}hello {2}waking \(1 request waits\)\n/);
  expect(await readdir(temporary)).toHaveLength(1);
  program.child.kill('SIGINT');
  // npm passes on the SIGINT that the terminal sent to both.
  program.child.kill('SIGINT');
  expect(await program.exit).toBe(0);
  expect(program.stderr).toBe('');
  expect(await readdir(temporary)).toEqual([]);
});

test('status, wake and sleep talk to it', async () => {
  const { program, admin, url } = await demo();
  const say = async (...args: string[]) => {
    const command = pilotlight([...args, '--admin', admin]);
    expect(await command.exit).toBe(0);
    return command.stdout;
  };
  expect(await say('status')).toMatch(/^hello +asleep +0 /m);
  expect(await say('wake', 'hello')).toMatch(/^hello is (waking|ready)\n$/);
  await until('ready', () => program.stdout.includes('hello  ready in'));
  // In use meanwhile: a command may take longer to start than hello stays awake.
  const use = setInterval(() => void fetch(`${url}/hello`).catch(() => undefined), 1000);
  const services = JSON.parse(await say('status', '--json')) as { name: string; state: string }[];
  clearInterval(use);
  expect(services.find(({ name }) => name === 'hello')?.state).toBe('ready');
  await say('sleep', 'hello');
  await until('asleep', () => /hello {2}asleep/.test(program.stdout));
});

test('a hang-up ends the demo as its terminal does', async () => {
  const { program } = await demo();
  program.child.kill('SIGHUP');
  expect(await program.exit).toBe(0);
});
