import type { ReplicaUsage } from '../../model/runtime.ts';
import type { DockerEngine } from '../engine.ts';
import { limits } from '../engine.ts';

/** The part of the engine's statistics that is read. */
interface Stats {
  memory_stats?: { usage?: number; stats?: { inactive_file?: number; total_inactive_file?: number } };
  cpu_stats?: { cpu_usage?: { total_usage?: number } };
}

/** What a container takes: its memory without files that could be read again, as `docker stats` has it. */
export async function containerUsage(engine: DockerEngine, id: string, signal: AbortSignal): Promise<ReplicaUsage> {
  // One look; without it the engine takes two, a second apart.
  const options = { stream: false, 'one-shot': true } as const;
  const stats = (await engine.call(limits.ask, signal, (docker, abortSignal) =>
    docker.getContainer(id).stats({ ...options, abortSignal } as { stream: false }),
  )) as Stats;
  const { usage = 0, stats: more = {} } = stats.memory_stats ?? {};
  const files = more.inactive_file ?? more.total_inactive_file ?? 0;
  return {
    memoryMiB: Math.max(0, usage - files) / 2 ** 20,
    cpuSeconds: (stats.cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e9,
  };
}
