import type Docker from 'dockerode';
import { PilotlightError } from '../../model/errors.ts';
import type { HealthVerdict } from '../../model/runtime.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/units.ts';
import { type DockerEngine, limits } from '../engine.ts';
import { statusOf } from '../engine-errors.ts';

/** Where a check has no interval or time limit of its own, ms; the engine's defaults. */
const DEFAULT_MS = 30_000;
/** How often a check that runs is looked at, ms. */
const POLL_MS = 50;

/** A HEALTHCHECK, its times in ns; 0 or none: the default. */
interface HealthCheck {
  Test?: string[];
  Interval?: number;
  Timeout?: number;
}

/**
 * Has the container's HEALTHCHECK run now: the engine runs it for the first time one interval after the start, which
 * may be minutes. @throws RUNTIME_UNREACHABLE, RUNTIME_FAILED
 */
export async function runHealthCheck(
  engine: DockerEngine,
  clock: Clock,
  { Id, Config }: Docker.ContainerInspectInfo,
  signal: AbortSignal,
): Promise<HealthVerdict> {
  const { Healthcheck: check = {}, Shell: shell } = Config as { Healthcheck?: HealthCheck; Shell?: string[] };
  const Cmd = commandOf(check, shell ?? ['/bin/sh', '-c']);
  if (Cmd === undefined) return { verdict: 'unknown', detail: 'there is none' };
  try {
    const exec = await engine.call(limits.act, signal, (docker, abortSignal) =>
      docker.getContainer(Id).exec({ Cmd, abortSignal }),
    );
    await engine.call(limits.act, signal, async () => (await exec.start({ Detach: true })).resume());
    const timeoutMs = milliseconds(check.Timeout);
    const deadline = clock.now() + timeoutMs;
    for (;;) {
      const { Running, ExitCode } = await engine.call(limits.ask, signal, (_, abortSignal) =>
        exec.inspect({ abortSignal }),
      );
      if (!Running) return verdictOf(ExitCode);
      if (clock.now() >= deadline) return { verdict: 'late', detail: `no result within ${formatDuration(timeoutMs)}` };
      await sleep(clock, POLL_MS, signal);
    }
  } catch (thrown) {
    // It ended, or is paused: who watches it says so.
    if (statusOf(thrown) === 404 || statusOf(thrown) === 409) return { verdict: 'failed', detail: 'it does not run' };
    if (!(thrown instanceof PilotlightError) || thrown.code !== 'RUNTIME_FORBIDDEN') throw thrown;
    const first = formatDuration(milliseconds(check.Interval));
    return { verdict: 'unknown', detail: `not run before its interval of ${first} is over, as ${thrown.message}` };
  }
}

function verdictOf(exitCode: number | null): HealthVerdict {
  return exitCode === 0 ? { verdict: 'passed', detail: '' } : { verdict: 'failed', detail: `exit code ${exitCode}` };
}

function commandOf({ Test = [] }: HealthCheck, shell: string[]): string[] | undefined {
  const [kind, ...words] = Test;
  if (words.length === 0) return undefined;
  if (kind === 'CMD') return words;
  return kind === 'CMD-SHELL' ? [...shell, ...words] : undefined;
}

function milliseconds(nanoseconds = 0): number {
  return nanoseconds > 0 ? nanoseconds / 1e6 : DEFAULT_MS;
}
