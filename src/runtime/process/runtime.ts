import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import type { Instance, Listener, ReplicaSpec, ReplicaUsage, Runtime, RuntimeEvent } from '../../model/runtime.ts';
import type { HostPort, StopSettings } from '../../model/settings.ts';
import { unlessAborted } from '../../util/abort.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { fileFault } from '../../util/file-errors.ts';
import { SingleFlight } from '../../util/single-flight.ts';
import { endingOf, type ProcessEnding } from './ending.ts';
import { freezeGroup, thawGroup } from './freeze.ts';
import { ProcessLog } from './log.ts';
import { oomKills } from './oom-kills.ts';
import { isTaken, PortPicker } from './port.ts';
import { ProcessRecords, replicaName } from './record.ts';
import { idOf, instanceOf, isExited, type Replica } from './replica.ts';
import { type ProcessRun, processRun } from './settings.ts';
import { listenerAt } from './sockets.ts';
import { checkWorkingDirectory, inheritedEnv, spawnDetached } from './spawn.ts';
import { groupLives, isEnding, isFrozen, processTableSupported, signalGroup, startTokenOf } from './table.ts';
import { groupUsage } from './usage.ts';

/** How often adopted processes, of which the kernel does not tell us the end, are looked at, ms. */
const POLL_MS = 500;
/** How often the end of a stopping process is looked for, ms. */
const STOP_POLL_MS = 20;
/** How long the kernel may take to end a killed process, ms. */
const KILL_MS = 10_000;
/** How long it may take from there until the kernel tells of the end of what is about to, ms. */
const ENDING_MS = 5000;
const ENDING_LOOK_MS = 2;
/** How often logs are looked at for their size, ms. */
const TRIM_MS = 30_000;

const never = new AbortController().signal;

export interface ProcessRuntimeOptions {
  /** Records and output live in its `processes` folder; one Pilotlight at a time. */
  stateDirectory: string;
  clock: Clock;
  logger: Logger;
  instance: string;
  /** Of this, PATH, HOME, LANG, TZ and TMPDIR are passed on to the children. Default: a system PATH only. */
  baseEnv?: Readonly<Record<string, string | undefined>>;
}

/** Runs replicas as detached processes on free loopback ports. */
export function createProcessRuntime(options: ProcessRuntimeOptions): Runtime {
  return new ProcessRuntime(options);
}

class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #instance: string;
  readonly #env: Record<string, string>;
  readonly #records: ProcessRecords;
  readonly #ports: PortPicker;
  readonly #starts = new SingleFlight<string, Instance>();
  /** The last known process of every replica, by its name. */
  readonly #replicas = new Map<string, Replica>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();

  constructor({ stateDirectory, clock, logger, instance, baseEnv }: ProcessRuntimeOptions) {
    this.#clock = clock;
    this.#logger = logger;
    this.#instance = instance;
    this.#env = inheritedEnv(baseEnv ?? { PATH: '/usr/local/bin:/usr/bin:/bin' });
    this.#records = new ProcessRecords(join(stateDirectory, 'processes'));
    this.#ports = new PortPicker(clock);
  }

  prepares(): boolean {
    return false;
  }

  runsInPlace(): boolean {
    return false;
  }

  /** There is nothing to pre-position. */
  async prepare(_spec: ReplicaSpec, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async start(spec: ReplicaSpec, signal: AbortSignal): Promise<Instance> {
    signal.throwIfAborted();
    const run = processRun(spec);
    this.#open();
    return unlessAborted(
      this.#starts.run(replicaName(spec), () => this.#start(spec, run)),
      signal,
    );
  }

  async inspect(id: string, signal: AbortSignal): Promise<Instance | undefined> {
    signal.throwIfAborted();
    const replica = this.#find(id);
    if (replica === undefined) return undefined;
    await this.#endTold(replica, signal);
    return { ...instanceOf(replica), portTaken: await unlessAborted(Promise.resolve(replica.portTaken), signal) };
  }

  async listener(id: string, address: HostPort, signal: AbortSignal): Promise<Listener | undefined> {
    signal.throwIfAborted();
    const replica = this.#find(id);
    if (replica === undefined || isExited(replica)) return undefined;
    if (isEnding(replica.record.pid)) return { by: 'ended' };
    return replica.record.listener === 'any' ? undefined : listenerAt(replica.record.pid, address);
  }

  async usage(id: string, signal: AbortSignal): Promise<ReplicaUsage | undefined> {
    signal.throwIfAborted();
    const replica = this.#find(id);
    return replica === undefined || isExited(replica) ? undefined : groupUsage(replica.record.pid);
  }

  async pause(id: string, signal: AbortSignal): Promise<void> {
    const replica = this.#running(id, signal);
    replica.isFrozen = true;
    await freezeGroup(replica.record.pid, this.#clock, signal);
  }

  async resume(id: string, signal: AbortSignal): Promise<Instance> {
    const replica = this.#running(id, signal);
    await this.#thaw(replica, signal);
    return instanceOf(replica);
  }

  async stop(id: string, { signal: name, graceMs }: StopSettings, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const replica = this.#find(id);
    if (replica === undefined || replica.phase === 'exited') return;
    replica.phase = 'stopping';
    try {
      this.#signal(replica, signalNamed(name));
      // What is frozen heeds no signal but SIGKILL until it goes on.
      if (replica.isFrozen || isFrozen(replica.record.pid)) this.#signal(replica, 'SIGCONT');
      if (await this.#gone(replica, graceMs, signal)) return;
      this.#signal(replica, 'SIGKILL');
      if (await this.#gone(replica, KILL_MS, signal)) return;
      throw new PilotlightError('RUNTIME_FAILED', `process ${replica.record.pid} does not die of SIGKILL`);
    } finally {
      if (!isExited(replica)) replica.phase = 'running';
      else if (signal.aborted) this.#signal(replica, 'SIGKILL');
    }
  }

  async clean(service: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#adopt();
    const files = this.#records.files('log').filter((replica) => replica.service === service);
    for (const file of files) {
      const name = replicaName(file);
      const replica = this.#refreshed(name);
      if (this.#starts.has(name) || (replica !== undefined && !isExited(replica))) continue;
      this.#replicas.delete(name);
      await this.#log(name).remove();
    }
  }

  async list(_specs: ReplicaSpec[], signal: AbortSignal): Promise<Instance[]> {
    signal.throwIfAborted();
    this.#adopt();
    const replicas = [...this.#replicas.keys()].map((name) => this.#refreshed(name));
    return replicas.flatMap((replica) => (replica === undefined || isExited(replica) ? [] : instanceOf(replica)));
  }

  watch(listener: (event: RuntimeEvent) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#listeners.add(listener);
    const poll = this.#clock.every(POLL_MS, () => {
      for (const name of this.#replicas.keys()) this.#tellFreezing(this.#refreshed(name));
    });
    const trim = this.#clock.every(TRIM_MS, () => {
      for (const name of this.#replicas.keys()) this.#trim(name);
    });
    const end = () => {
      this.#listeners.delete(listener);
      poll.cancel();
      trim.cancel();
    };
    signal.addEventListener('abort', end, { once: true });
  }

  async output(id: string, lines: number, signal: AbortSignal): Promise<string[]> {
    signal.throwIfAborted();
    const replica = this.#find(id);
    if (replica === undefined) return [];
    return unlessAborted(this.#log(replicaName(replica.record)).lastLines(lines, replica.outputFrom), signal);
  }

  /** @throws RUNTIME_FAILED, STATE_UNUSABLE */
  #open(): void {
    if (!processTableSupported) {
      throw new PilotlightError(
        'RUNTIME_FAILED',
        `processes cannot be run on ${process.platform}: Linux or macOS only`,
      );
    }
    try {
      this.#records.open();
    } catch (cause) {
      throw toPilotlightError(cause, 'STATE_UNUSABLE');
    }
  }

  async #start(spec: ReplicaSpec, run: ProcessRun): Promise<Instance> {
    const name = replicaName(spec);
    this.#adopt();
    const present = this.#refreshed(name);
    if (present !== undefined && !isExited(present)) {
      if (present.record.hash === spec.hash && present.phase === 'running') {
        await this.#thaw(present, never);
        return instanceOf(present);
      }
      const why = present.phase === 'stopping' ? 'is still stopping' : 'runs with an older configuration';
      throw new PilotlightError('RUNTIME_FAILED', `${name} ${why} (process ${present.record.pid})`);
    }
    await checkWorkingDirectory(run.cwd);
    const port = await this.#ports.pick(this.#portsInUse());
    const { size, output } = await this.#openLog(name);
    try {
      return instanceOf(await this.#spawn(spec, run, { port, output, outputFrom: size === 'cut' ? 0 : size }));
    } catch (thrown) {
      throw toPilotlightError(thrown, 'RUNTIME_FAILED');
    } finally {
      closeSync(output);
    }
  }

  async #spawn(
    spec: ReplicaSpec,
    run: ProcessRun,
    { port, output, outputFrom }: { port: number; output: number; outputFrom: number },
  ): Promise<Replica> {
    const { service, ordinal, hash } = spec;
    const killsBefore = oomKills();
    const { child, pid } = await spawnDetached(run, { port, env: this.#env, output });
    // Of a process that has ended already there is no token; its exit is reported in a moment.
    const start = startTokenOf(pid) ?? 'ended';
    const record = {
      instance: this.#instance,
      service,
      ordinal,
      hash,
      pid,
      start,
      startedAt: this.#clock.wall(),
      port,
      listener: run.listener,
    };
    const replica: Replica = {
      record,
      origin: 'child',
      phase: 'running',
      isFrozen: false,
      ending: undefined,
      outputFrom,
    };
    child.once('exit', (code, by) => this.#exited(replica, endingOf(code, by, killsBefore)));
    try {
      this.#records.write(record);
    } catch (cause) {
      this.#signal(replica, 'SIGKILL');
      throw new PilotlightError(
        'STATE_UNUSABLE',
        `the record of ${replicaName(record)} cannot be written (${fileFault(cause)})`,
        cause,
      );
    }
    this.#replicas.set(replicaName(record), replica);
    this.#emit({ type: 'started', id: idOf(record), service, ordinal });
    return replica;
  }

  /** Takes over what an earlier run started and still lives; forgets the records of what does not. */
  #adopt(): void {
    for (const record of this.#records.all()) {
      const name = replicaName(record);
      const known = this.#replicas.get(name);
      if (record.instance !== this.#instance || (known !== undefined && !isExited(known))) continue;
      if (startTokenOf(record.pid) === record.start) {
        this.#replicas.set(name, {
          record,
          origin: 'adopted',
          phase: 'running',
          isFrozen: isFrozen(record.pid),
          ending: undefined,
          outputFrom: 0,
        });
      } else {
        this.#records.remove(record);
      }
    }
  }

  /** The replica of this name, after a look at whether it still lives. */
  #refreshed(name: string): Replica | undefined {
    const replica = this.#replicas.get(name);
    if (replica !== undefined && replica.origin === 'adopted' && !isExited(replica)) {
      if (startTokenOf(replica.record.pid) !== replica.record.start) this.#exited(replica, undefined);
    }
    return replica;
  }

  #find(id: string): Replica | undefined {
    const known = () => [...this.#replicas.values()].find(({ record }) => idOf(record) === id);
    if (known() === undefined) this.#adopt();
    const replica = known();
    return replica === undefined ? undefined : this.#refreshed(replicaName(replica.record));
  }

  /** @throws REPLICA_EXITED */
  #running(id: string, signal: AbortSignal): Replica {
    signal.throwIfAborted();
    const replica = this.#find(id);
    if (replica?.phase === 'running') return replica;
    throw new PilotlightError('REPLICA_EXITED', `process ${id.replace(/@.*/, '')} runs no more`);
  }

  async #thaw(replica: Replica, signal: AbortSignal): Promise<void> {
    replica.isFrozen = false;
    await thawGroup(replica.record.pid, this.#clock, signal);
  }

  /** Somebody else may have frozen it, or had it go on: one that is frozen serves as little as one that ended. */
  #tellFreezing(replica: Replica | undefined): void {
    if (replica?.phase !== 'running' || process.platform !== 'linux') return;
    const frozen = isFrozen(replica.record.pid);
    if (frozen === replica.isFrozen) return;
    replica.isFrozen = frozen;
    const { service, ordinal } = replica.record;
    this.#emit({ type: frozen ? 'exited' : 'started', id: idOf(replica.record), service, ordinal });
  }

  /** A replica is its whole group: when the leader ended by itself, what it left behind would only hold the port. */
  #exited(replica: Replica, ending: ProcessEnding | undefined): void {
    const { service, ordinal, port } = replica.record;
    const byItself = replica.phase === 'running';
    replica.phase = 'exited';
    replica.ending = ending;
    if (byItself) {
      this.#signal(replica, 'SIGKILL');
      replica.portTaken = this.#gone(replica, KILL_MS, never).then(() => isTaken(port));
    }
    this.#records.remove(replica.record);
    this.#emit({ type: 'exited', id: idOf(replica.record), service, ordinal });
  }

  /**
   * What ends closes its connections, and lets go of its port, before we are told: whoever asks in between is answered
   * when the end was told, or else would take another program there for it.
   */
  async #endTold(replica: Replica, signal: AbortSignal): Promise<void> {
    const { record } = replica;
    const deadline = this.#clock.now() + ENDING_MS;
    while (!isExited(replica) && isEnding(record.pid) && this.#clock.now() < deadline) {
      await sleep(this.#clock, ENDING_LOOK_MS, signal);
      this.#refreshed(replicaName(record));
    }
  }

  /** To the whole group, unless its number belongs to another process by now. */
  #signal({ record }: Replica, signal: NodeJS.Signals): void {
    const leader = startTokenOf(record.pid);
    if (leader === undefined || leader === record.start) signalGroup(record.pid, signal);
  }

  /** Waits until the leader and all others of its group ended; false when they did not within `ms`. */
  async #gone(replica: Replica, ms: number, signal: AbortSignal): Promise<boolean> {
    const deadline = this.#clock.now() + ms;
    const { record } = replica;
    for (;;) {
      this.#refreshed(replicaName(record));
      if (isExited(replica) && !groupLives(record.pid)) return true;
      if (this.#clock.now() >= deadline) return false;
      await sleep(this.#clock, Math.min(STOP_POLL_MS, deadline - this.#clock.now()), signal);
    }
  }

  #portsInUse(): Set<number> {
    const running = [...this.#replicas.values()].filter((replica) => !isExited(replica));
    return new Set(running.map(({ record }) => record.port));
  }

  #log(name: string): ProcessLog {
    return new ProcessLog(join(this.#records.folder, `${name}.log`));
  }

  /** The output of a process goes there. @throws STATE_UNUSABLE */
  async #openLog(name: string): Promise<{ size: number | 'cut'; output: number }> {
    const log = this.#log(name);
    // Without room to cut it, it goes on as it is: that is no reason not to start.
    const size = await log.trim().catch((cause: unknown) => {
      this.#logger.warn({ replica: name }, `cannot cut the output of ${name} (${fileFault(cause)})`);
      return log.size();
    });
    try {
      return { size, output: log.openForAppend() };
    } catch (cause) {
      throw new PilotlightError('STATE_UNUSABLE', `the output of ${name} cannot be kept (${fileFault(cause)})`, cause);
    }
  }

  #trim(name: string): void {
    this.#log(name)
      .trim()
      .then((size) => {
        const replica = this.#replicas.get(name);
        if (replica !== undefined && size === 'cut') replica.outputFrom = 'cut';
      })
      .catch((cause) => this.#logger.warn({ replica: name }, `cannot cut the output of ${name} (${fileFault(cause)})`));
  }

  #emit(event: RuntimeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function signalNamed(name: string): NodeJS.Signals {
  if (name in constants.signals) return name as NodeJS.Signals;
  throw new PilotlightError('RUNTIME_FAILED', `no such signal: ${name}`);
}
