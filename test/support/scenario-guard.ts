/**
 * Kills all processes of the scenarios of one test process, and removes their containers and the folder they worked in,
 * once standard input ends: the kernel closes it even if that process is killed.
 */
import { rm } from 'node:fs/promises';
import { dockerApi, engineAnswers, removeContainers } from './docker-api.ts';
import { killMarked } from './marked-processes.ts';
import { RUN_LABEL } from './marks.ts';

const [run = '', folder = '', socket = ''] = process.argv.slice(2);

async function clear(): Promise<void> {
  killMarked(run);
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  // An engine that the tests started may end at the same moment, with all that it runs.
  if (await engineAnswers(socket))
    await removeContainers(dockerApi(socket), `${RUN_LABEL}=${run}`).catch(() => undefined);
  process.exit(0);
}

process.stdin.on('end', clear).on('error', clear).resume();
// An interrupt from the terminal ends the tests first, and only then, through the pipe, this.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
