import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { folder, logOf, pilotlight } from './program.ts';

/** A program that reads its configuration from a pipe: it boots for as long as nothing is written there. */
async function booting(changes: Record<string, unknown> = {}) {
  const path = await folder();
  const [port, adminPort] = [await freePort(), await freePort()];
  const pipe = join(path, 'pilotlight.yaml');
  execFileSync('mkfifo', [pipe]);
  const program = pilotlight(['run', '-c', pipe]);
  const settings = {
    listen: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    state: join(path, 'state'),
    services: { shop: { routes: [{ path: '/' }], endpoints: { static: ['127.0.0.1:9'] } } },
    ...changes,
  };
  /** Resolves when the program has begun to read. @returns has it read the configuration */
  const reads = async () => {
    const end = await open(pipe, 'w');
    return () => end.writeFile(JSON.stringify(settings)).then(() => end.close());
  };
  return { program, reads };
}

const said = (program: ReturnType<typeof pilotlight>, what: string) =>
  until(what, () => {
    if (program.child.exitCode !== null || program.child.signalCode !== null)
      throw new Error(`it ended: ${program.stderr}`);
    return logOf(program).some(({ msg }) => String(msg).includes(what));
  });

describe('a signal while the configuration is being read', () => {
  test.each([1, 2])('SIGHUP ends nothing: it reloads when it serves, with %i workers', async (workers) => {
    const { program, reads } = await booting({ workers });
    const give = await reads();
    program.child.kill('SIGHUP');
    await give();
    await said(program, 'serving');
    await (await reads())();
    await said(program, 'configuration reloaded');
  });

  test('SIGUSR2 ends nothing: a successor takes over when it serves', async () => {
    const { program, reads } = await booting();
    const give = await reads();
    program.child.kill('SIGUSR2');
    await give();
    await said(program, 'serving');
    await (await reads())();
    // The successor writes to the same log, and lives as long as its pipe.
    await until('the end of the first', () => program.child.exitCode === 0);
    const [, pid] = /"event":"upgraded".*?"pid":(\d+)/.exec(program.stderr) ?? [];
    process.kill(Number(pid), 'SIGTERM');
  });

  test.each(['SIGTERM', 'SIGINT'] as const)('%s ends it as it does later: that is no failure', async (signal) => {
    const { program, reads } = await booting();
    const give = await reads();
    program.child.kill(signal);
    await give();
    expect(await program.exit).toBe(0);
    expect(program.stderr).not.toContain('"serving"');
  });
});

test('a signal ends another command as it does any program', async () => {
  const pipe = join(await folder(), 'pilotlight.yaml');
  execFileSync('mkfifo', [pipe]);
  const check = pilotlight(['check', '-c', pipe]);
  const end = await open(pipe, 'w');
  check.child.kill('SIGHUP');
  await check.exit;
  await end.close();
  expect(check.child.signalCode).toBe('SIGHUP');
});
