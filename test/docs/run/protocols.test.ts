import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { ServiceStatus } from '../../../src/model/status.ts';
import { demoService, pilotlight, place, serve } from '../../main/program.ts';
import { makeCertificate } from '../../support/certificates.ts';
import { findProgram } from '../../support/command.ts';
import { aptInstall } from '../../support/debian.ts';
import { freePort } from '../../support/free-port.ts';
import { findOrInstallRedis } from '../../support/redis.ts';
import { until } from '../../support/until.ts';
import { blockBeginning, blocksOfPage, linesOf, ROOT } from '../pages.ts';
import { PageShell } from './page-shell.ts';

test('the database of tcp.md keeps what it was told while it sleeps', async () => {
  await findOrInstallRedis();
  const [port, adminPort] = [await freePort(), await freePort()];
  const shell = await PageShell.open({ PILOTLIGHT_ADMIN: `http://127.0.0.1:${adminPort}` });
  const own = (line: string) =>
    line
      .replaceAll('/tmp/redis-demo', 'demo')
      .replace('config/examples', `'${ROOT}/config/examples'`)
      .replace('6380', `${port}`);
  const [make, copy, start, set, wait, status, get] = linesOf(blockBeginning('docs/tcp.md', 'mkdir')).map(own) as [
    ...[string, string, string, string, string, string, string],
  ];
  await shell.run(make);
  await shell.run(copy);
  const file = join(shell.folder, 'demo/redis.yaml');
  await shell.run(`sed -i 's/127.0.0.1:6380/127.0.0.1:${port}/' '${file}'`);
  await shell.run(`printf 'admin: { address: "127.0.0.1:${adminPort}" }\\nstate: demo/state\\n' >> '${file}'`);
  expect(start).toBe('npm run -s pilotlight -- run -c demo/redis.yaml > demo/log &');
  const program = pilotlight(['run', '-c', file], { cwd: shell.folder });
  await until('it serves', async () => {
    if (program.child.exitCode !== null) throw new Error(program.stderr);
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined))?.status === 200;
  });
  expect(await shell.run(set)).toBe('OK\n');
  expect(wait).toMatch(/^sleep \d+$/);
  const state = async () =>
    ((await (await fetch(`http://127.0.0.1:${adminPort}/v1/services/redis`)).json()) as ServiceStatus).state;
  await until('it sleeps', async () => (await state()) === 'asleep');
  expect(await shell.run(status)).toMatch(/^redis +asleep +0 .* sleep 1→0: idle for 5 s /m);
  expect(await shell.run(get)).toBe('hello\n');
});

test('curl sees a cold service through TLS as http2.md shows', async () => {
  if (findProgram('curl') === undefined) await aptInstall(['curl']);
  const at = await place();
  const shell = await PageShell.open();
  const { cert, key } = makeCertificate({ names: ['app.test'] });
  await writeFile(join(shell.folder, 'site.pem'), `${cert}${key}`);
  const tls = { certificates: [{ cert: join(shell.folder, 'site.pem') }] };
  await at.write({
    listen: [{ address: `127.0.0.1:${at.port}`, tls }],
    services: { hello: demoService('hello', { routes: [{ path: '/' }] }) },
  });
  await serve(at);
  const block = blockBeginning('docs/http2.md', 'ask()');
  const [ask, ...lines] = linesOf(block).map((line) => line.replaceAll('18443', String(at.port)));
  expect(lines).toHaveLength(3);
  // The protocol, the fields of the head and the last line of each answer; not what the service itself adds or says.
  const form = (text: string) =>
    text
      .replaceAll('\r', '')
      .split('\n')
      .filter((line) => /^(?:HTTP\/|(?:x-|server-timing|content-length|date))/i.test(line))
      .map((line) => line.replace(/^([^:,]+)[:,].*/, '$1').replace(/(?<=^HTTP\/\d(?:\.\d)? \d+).*/, ''));
  const shown = form(block.text);
  const seen: string[] = [];
  for (const line of lines) seen.push(...form(await shell.run(`${ask}\n${line}`)));
  expect(new Set(seen)).toEqual(new Set(shown));
  expect(seen.filter((line) => /cold|server-timing/i.test(line))).toEqual(['x-cold-start', 'server-timing']);
  expect(blocksOfPage('docs/http2.md')).toContain(block);
});
