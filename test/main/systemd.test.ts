import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { holderOf } from '../../src/util/state-directory.ts';
import { findProgram, run } from '../support/command.ts';
import { aptInstall } from '../support/debian.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { until } from '../support/until.ts';
import { folder, place, serve } from './program.ts';

const UNITS = join(import.meta.dirname, '../../packaging/systemd');

/** Receives as systemd does, and writes a line per message. Perl, because every Debian has it. */
const RECEIVER = `
  use Socket; use IO::Handle;
  my ($path, $file) = @ARGV;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die $!;
  open(my $out, '>>', $file) or die $!;
  $out->autoflush(1);
  bind($socket, pack_sockaddr_un($path)) or die $!;
  while (defined recv($socket, my $message, 65536, 0)) {
    $message =~ s/\\n/ /g;
    print $out "$message\\n" unless $message =~ /^BARRIER/;
  }`;

beforeAll(async () => {
  if (findProgram('systemd-notify') === undefined) await aptInstall(['systemd']);
}, 600_000);

test('systemd hears when it serves, which process serves after an upgrade before the old one ends, and of its end', async () => {
  const at = await place();
  const [socket, file] = [join(at.folder, 'notify'), join(at.folder, 'told')];
  const receiver = spawn('perl', ['-e', RECEIVER, socket, file], { stdio: 'ignore' });
  onTestFinished(() => void receiver.kill());
  await until('it receives', () => existsSync(socket));
  const holder = () => holderOf(join(at.folder, 'state'));
  const told = () => readFileSync(file, 'utf8').split('\n').filter(Boolean);

  const program = await serve(at, [], { env: { NOTIFY_SOCKET: socket } });
  onTestFinished(async () => {
    const left = await holder();
    if (left !== undefined) killIfAlive(left, 'SIGKILL');
  });
  const first = `READY=1 MAINPID=${program.child.pid}`;
  await until('it is told', () => told().length > 0);
  expect(told()).toEqual([first]);

  program.child.kill('SIGUSR2');
  expect((await once(program.child, 'exit'))[0]).toBe(0);
  const successor = await holder();
  const second = `READY=1 MAINPID=${successor}`;
  expect(told()).toEqual([first, second]);

  killIfAlive(successor as number, 'SIGTERM');
  await until('it is told', () => told().length > 2);
  expect(told()).toEqual([first, second, 'STOPPING=1']);
  await until('ended', async () => (await holder()) === undefined);
});

test('systemd finds nothing wrong with the service and the socket', async () => {
  const at = await folder();
  const service = await readFile(join(UNITS, 'pilotlight.service'), 'utf8');
  expect(service).toContain('ExecStart=/usr/bin/node --');
  // It looks for the program, too.
  await writeFile(join(at, 'pilotlight.service'), service.replace('=/usr/bin/node', `=${process.execPath}`));
  await copyFile(join(UNITS, 'pilotlight.socket'), join(at, 'pilotlight.socket'));
  const verify = (...names: string[]) => run('sh', ['-c', 'systemd-analyze verify --man=no "$@" 2>&1', 'sh', ...names]);
  expect(await verify(join(at, 'pilotlight.service'), join(at, 'pilotlight.socket'))).toBe('');

  await writeFile(join(at, 'wrong.service'), `${service.replace('UMask', 'UMaks')}`);
  expect(await verify(join(at, 'wrong.service'))).toContain('UMaks');
});

test('the service is exposed to little', async () => {
  const unit = join(UNITS, 'pilotlight.service');
  const told = await run('systemd-analyze', ['security', '--offline=true', '--threshold=30', unit]);
  expect(Number(/exposure level for pilotlight\.service: ([\d.]+)/.exec(told)?.[1])).toBeLessThanOrEqual(3);
});
