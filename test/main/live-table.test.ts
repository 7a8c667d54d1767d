import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../support/command.ts';
import { aptInstall } from '../support/debian.ts';
import { MAIN } from '../support/program-file.ts';
import { until } from '../support/until.ts';

/** An admin API without services, which knows of nothing else. */
async function emptyAdmin(): Promise<string> {
  const server = createServer((request, response) => {
    response.statusCode = request.url === '/v1/services' ? 200 : 404;
    response.setHeader('content-type', 'application/json').end('[]');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('on a real terminal the table takes the screen, and Ctrl-C gives it back', async () => {
  if (findProgram('script') === undefined) await aptInstall(['bsdutils']);
  const admin = await emptyAdmin();
  // `script` plays the terminal; its own input is the keyboard.
  const command = `stty rows 24 cols 80; exec ${process.execPath} ${MAIN} status --watch --admin ${admin}`;
  const played = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void played.kill('SIGKILL'));
  let screen = '';
  played.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  await until('the table is there', () => screen.includes(`pilotlight at ${admin}  0 services`), 60_000);
  expect(screen.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true);
  expect(screen).toContain('arrows move, q ends');
  played.stdin.write('\x03');
  const [code] = await once(played, 'exit');
  expect(code).toBe(0);
  expect(screen.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
});
