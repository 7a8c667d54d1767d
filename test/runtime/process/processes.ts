import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { silentLogger } from '../../../src/model/observe.ts';
import type { Instance, ReplicaSpec, Runtime } from '../../../src/model/runtime.ts';
import { ProcessRecords } from '../../../src/runtime/process/record.ts';
import { createProcessRuntime, type ProcessRuntimeOptions } from '../../../src/runtime/process/runtime.ts';
import type { ProcessRun } from '../../../src/runtime/process/settings.ts';
import { signalGroup, startTokenOf } from '../../../src/runtime/process/table.ts';
import { systemClock } from '../../../src/util/clock.ts';

export const never = new AbortController().signal;
export const STOP = { signal: 'SIGTERM', graceMs: 10_000 };

/** An app that answers with its pid and dies of SIGTERM. */
export const SERVER = `
  require('node:http').createServer((_, out) => out.end(String(process.pid))).listen(process.env.PORT, '127.0.0.1');
  console.log('listening on ' + process.env.PORT);
`;

/** Runtimes and state directories for the tests of a file; what still runs at the end of a test is killed. */
export function processBench() {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) {
      for (const { pid, start } of new ProcessRecords(join(folder, 'processes')).all()) {
        if (startTokenOf(pid) === start) signalGroup(pid, 'SIGKILL');
      }
      await rm(folder, { recursive: true, force: true });
    }
  });
  return {
    async stateDirectory(): Promise<string> {
      const folder = await mkdtemp(join(tmpdir(), 'pilotlight-processes-'));
      folders.push(folder);
      return folder;
    },
    runtime(stateDirectory: string, options: Partial<ProcessRuntimeOptions> = {}): Runtime {
      const defaults = { stateDirectory, clock: systemClock, logger: silentLogger, instance: 'bench' };
      return createProcessRuntime({ ...defaults, ...options });
    },
  };
}

/** A replica of service `app` that runs a script with the Node of the tests. */
export function nodeSpec(script: string, run: Partial<ProcessRun> = {}, spec: Partial<ReplicaSpec> = {}): ReplicaSpec {
  const command = [process.execPath, '-e', script];
  const base: ProcessRun = {
    runtime: 'process',
    kind: 'process',
    command,
    cwd: tmpdir(),
    env: { PORT: '{port}' },
    stop: STOP,
  };
  return { service: 'app', ordinal: 1, instance: 'bench', hash: 'h1', ...spec, run: { ...base, ...run } };
}

/** What the replica answers; undefined while it does not. */
export async function answer({ address }: Instance): Promise<string | undefined> {
  if (address === undefined) return undefined;
  try {
    const response = await fetch(`http://${address.host}:${address.port}/`, { headers: { connection: 'close' } });
    return await response.text();
  } catch {
    return undefined;
  }
}

export function pidOf({ id }: Instance): number {
  return Number(id.split('@')[0]);
}
