import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { RuntimeEvent } from '../../model/runtime.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { SwarmApi, Task } from './api.ts';
import type { Host } from './host.ts';
import type { Hosts } from './hosts.ts';
import { type Owner, ownerOf } from './service-spec.ts';
import { phaseOf, type TaskPhase, whyLeaving } from './task.ts';

/**
 * A manager tells no events of tasks. Between two looks at all of them, ms; longer where they are so many that looking
 * would take more than a fifth of the time.
 */
const LOOK_MS = 250;
const REST = 4;
const BACKOFF = { base: 250, cap: 4_000, jitter: 0.5 };

interface WatchOptions {
  api: SwarmApi;
  hosts: Hosts;
  clock: Clock;
  logger: Logger;
  instance: string;
  random: () => number;
  labels: readonly string[];
  listener: (event: RuntimeEvent) => void;
  /** All tasks there are, after each look. */
  onLook: (tasks: readonly Task[]) => Promise<void>;
}

interface Known {
  owner: Owner;
  phase: TaskPhase;
  /** Swarm has given it up for what became of its host. */
  isGivenUp: boolean;
}

/** Follows the tasks of replicas until aborted, through every break of the contact. */
export async function watchTasks(options: WatchOptions, signal: AbortSignal): Promise<void> {
  const { api, clock, logger, listener, random } = options;
  let known: Map<string, Known> | undefined;
  let failures = 0;
  while (!signal.aborted) {
    const began = clock.now();
    try {
      const tasks = await api.tasks({ label: options.labels }, signal);
      // What Swarm does to a task may be known before what became of its host.
      const isAsked = tasks.some((task) => phaseOf(task) === 'leaving');
      const now = knownOf(tasks, isAsked ? await options.hosts.now() : NO_HOSTS, options.instance);
      if (failures > 0) {
        logger.info({ engine: api.place }, 'the manager of the swarm is back');
        listener({ type: 'restored' });
      }
      failures = 0;
      // What changed during an outage is found by the list that follows.
      for (const event of known === undefined ? [] : changes(known, now)) if (!signal.aborted) listener(event);
      known = now;
      await options.onLook(tasks);
    } catch (thrown) {
      if (signal.aborted) return;
      failures++;
      if (failures === 1) lost(toPilotlightError(thrown, 'RUNTIME_FAILED'), options);
    }
    const took = clock.now() - began;
    const pause = failures > 0 ? backoffDelay(failures, BACKOFF, random) : Math.max(LOOK_MS, REST * took);
    await sleep(clock, pause, signal).catch(() => undefined);
  }
}

function lost(cause: PilotlightError, { api, logger, listener }: WatchOptions): void {
  logger.warn({ engine: api.place, cause: cause.message }, 'lost the manager of the swarm');
  listener({ type: 'lost', cause });
}

const NO_HOSTS: ReadonlyMap<string, Host> = new Map();

function knownOf(tasks: readonly Task[], hosts: ReadonlyMap<string, Host>, instance: string): Map<string, Known> {
  return new Map(
    tasks.flatMap((task) => {
      const owner = ownerOf(task.Spec.ContainerSpec?.Labels, instance);
      if (owner === undefined) return [];
      const phase = phaseOf(task);
      const isGivenUp = phase === 'leaving' && whyLeaving(task, hosts.get(task.NodeID ?? '')) !== undefined;
      return [[task.ID, { owner, phase, isGivenUp }] as const];
    }),
  );
}

/** What happened between two looks. */
export function changes(before: ReadonlyMap<string, Known>, after: ReadonlyMap<string, Known>): RuntimeEvent[] {
  const events: RuntimeEvent[] = [];
  const tell = (type: 'started' | 'leaving' | 'exited', id: string, { service, ordinal }: Owner) =>
    events.push({ type, id, service, ordinal });
  for (const [id, { owner, phase }] of before) {
    if (phase !== 'ended' && !after.has(id)) tell('exited', id, owner);
  }
  for (const [id, { owner, phase, isGivenUp }] of after) {
    const last = before.get(id);
    if (phase === last?.phase && isGivenUp === last.isGivenUp) continue;
    if (phase === 'running') tell('started', id, owner);
    if (phase === 'leaving') tell('leaving', id, owner);
    if (phase === 'ended') tell('exited', id, owner);
  }
  return events;
}
