import type { EdgeListener } from '../model/certificates.ts';
import { PilotlightError } from '../model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import type { LogFormat, Logger, LogLevel } from '../model/observe.ts';
import type { AccessLogSettings, HostPort } from '../model/settings.ts';
import type { TraceSettings } from '../model/traces.ts';
import { backoffDelay } from '../util/backoff.ts';
import type { ChannelEnd } from '../util/channel.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { listenKey } from '../util/listening.ts';
import { type BoundSocket, bindSockets, nameOf, SOCKETS_PER_PROCESS } from './bound-sockets.ts';
import type { DataPlane } from './data-plane.ts';
import { WorkerProcess } from './worker-process.ts';

/** A worker that lived for less counts as one that fails at once, ms. */
const SHORT_LIFE_MS = 10_000;
/**
 * Before the second replacement in a row and later ones, ms. Short, because connections that the kernel gave to a
 * worker wait for its successor.
 */
const REPLACE_AFTER = { base: 100, cap: 2000, jitter: 0.2 };
/** A worker that does not answer to a change of listeners within this is killed, and its successor does it, ms. */
const ANSWER_MS = 5000;
/**
 * An edge reports once a second. A worker that is silent for so many seconds hangs, and with it what the kernel gives to
 * its socket: it is killed. Counted and not measured, so that it is never the primary that slept.
 */
const SILENT_TICKS = 10;
/** The same of one that boots: with many services, on a busy machine, it has nothing to say for a while. */
const BOOT_TICKS = 60;
const TICK_MS = 1000;
/** From being told to end to being killed, ms. */
const CLOSE_MS = 3000;

interface WorkerPoolOptions {
  /** How many processes, 2 or more. */
  count: number;
  /** The file that a worker runs. */
  entry: string;
  /** A file that it runs before it loads that one; undefined: none. */
  preload?: string;
  /** Flags of Node that it is started with. */
  flags: readonly string[];
  logLevel: LogLevel;
  logFormat: LogFormat;
  accessLog: AccessLogSettings | undefined;
  /** Absent: nothing is traced. */
  traces?: TraceSettings | undefined;
  clock: Clock;
  logger: Logger;
  /** Gives an edge to the control plane; its link closes when its process is gone, which `end` brings about. */
  attach: (edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end: () => void) => void;
}

/** One place of the pool: a worker, or the wait for its successor. */
interface Place {
  index: number;
  name: string;
  worker: WorkerProcess | undefined;
  /** The worker has been told where to listen, and is told of every change from now on. */
  isServing: boolean;
  startedAt: number;
  /** Short lives in a row. */
  failures: number;
  /** Seconds in which it said nothing, in a row. */
  silent: number;
  replacement: Timer | undefined;
}

interface BoundListener {
  /** Some per place; inherited ones may be fewer or more. */
  sockets: readonly BoundSocket[];
  address: HostPort;
}

type InheritedByKey = ReadonlyMap<string, readonly BoundSocket[]>;

/** `closing`: whoever ends is not replaced any more. */
type Phase = 'new' | 'running' | 'closing';

/**
 * Edges in processes of their own. The primary binds the listening sockets and keeps them, so that a connection which
 * came for a worker that died is accepted by its successor, and none is refused meanwhile.
 *
 * Every worker has its own sockets on each address (SO_REUSEPORT), over which the kernel spreads connections by their
 * hash. Measured with two workers, 64 keep-alive connections at full rate, six runs each: the busier worker had
 * 50–60 % of the requests; with one socket shared by both it had 53–75 %, as whoever is awake takes all there is. With
 * connections handed round by the primary it would be 50 %, but each costs the primary 0.1 ms, a third as many can be
 * opened per second, and none while the control plane is busy.
 */
export class WorkerPool implements DataPlane {
  readonly #options: WorkerPoolOptions;
  readonly #places: Place[];
  readonly #bound = new Map<string, BoundListener>();
  #listeners: EdgeListener[] = [];
  #logLevel: LogLevel;
  #phase: Phase = 'new';
  #watch: Timer | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#logLevel = options.logLevel;
    this.#places = Array.from({ length: options.count }, (_, index) => {
      const name = `worker-${index + 1}`;
      return {
        index,
        name,
        worker: undefined,
        isServing: false,
        startedAt: 0,
        failures: 0,
        silent: 0,
        replacement: undefined,
      };
    });
  }

  /** @throws CANCELLED when a worker ends before it could begin */
  async begin(): Promise<void> {
    for (const place of this.#places) this.#start(place);
    await Promise.all(this.#workers.map(({ began }) => began));
    for (const place of this.#places) place.isServing = place.worker !== undefined;
    this.#phase = 'running';
    this.#watch = this.#options.clock.every(TICK_MS, () => this.#killSilent());
  }

  get sockets(): number[] {
    return [...this.#bound.values()].flatMap(({ sockets }) => sockets.map(({ fd }) => fd));
  }

  async listen(listeners: EdgeListener[], inherited: InheritedByKey = new Map()): Promise<HostPort[]> {
    const before = this.#listeners;
    const opened = await this.#bindNew(listeners, inherited);
    if (this.#phase === 'closing') {
      for (const { sockets } of opened.values()) for (const socket of sockets) socket.close();
      throw new PilotlightError('CANCELLED', 'the proxy is about to end');
    }
    for (const [key, listener] of opened) this.#bound.set(key, listener);
    this.#listeners = listeners;
    try {
      await this.#tellAll([...opened.keys()]);
    } catch (error) {
      this.#listeners = before;
      await this.#tellAll([]).catch(() => undefined);
      throw error;
    } finally {
      this.#unbindUnused();
    }
    return listeners.map(({ address }) => this.#bound.get(listenKey(address))?.address ?? address);
  }

  async reopenLog(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.reopenLog().catch(unlessGone)));
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    for (const worker of this.#workers) worker.setLogLevel(level);
  }

  async drain(deadlineMs: number, handOver: boolean): Promise<void> {
    this.#stopReplacing();
    const drained = this.#workers.map((worker) => worker.drain(deadlineMs, handOver).catch(unlessGone));
    this.#listeners = [];
    this.#unbindUnused();
    await Promise.all(drained);
  }

  async close(): Promise<void> {
    this.#stopReplacing();
    this.#listeners = [];
    this.#unbindUnused();
    await Promise.all(
      this.#workers.map(async (worker) => {
        worker.close();
        const timer = this.#options.clock.after(CLOSE_MS, () => worker.kill());
        await worker.exited;
        timer.cancel();
      }),
    );
  }

  get #workers(): WorkerProcess[] {
    return this.#places.flatMap(({ worker }) => worker ?? []);
  }

  #start(place: Place): void {
    const { entry, preload, flags, logFormat, accessLog, traces, count, clock, attach } = this.#options;
    const logLevel = this.#logLevel;
    const { index, name } = place;
    place.startedAt = clock.now();
    place.silent = 0;
    place.replacement = undefined;
    const worker = new WorkerProcess({
      entry,
      preload,
      flags,
      setup: { name, share: { index, of: count }, logLevel, logFormat, accessLog, traces },
      onExit: (how) => this.#onExit(place, how),
    });
    place.worker = worker;
    attach(name, worker.link, () => worker.kill());
  }

  #onExit(place: Place, how: string): void {
    const { clock, logger } = this.#options;
    place.worker = undefined;
    place.isServing = false;
    if (this.#phase !== 'running') return;
    place.failures = clock.now() - place.startedAt < SHORT_LIFE_MS ? place.failures + 1 : 0;
    const inMs = place.failures === 0 ? 0 : backoffDelay(place.failures, REPLACE_AFTER);
    logger.error({ worker: place.name, how, inMs }, `${place.name} ended (${how}) and is replaced`);
    place.replacement = clock.after(inMs, () => this.#replace(place));
  }

  #killSilent(): void {
    for (const place of this.#places) {
      const { worker, name } = place;
      place.silent = worker === undefined || worker.wasHeard ? 0 : place.silent + 1;
      if (worker === undefined) continue;
      worker.wasHeard = false;
      if (place.silent < (place.isServing ? SILENT_TICKS : BOOT_TICKS)) continue;
      this.#options.logger.error({ worker: name }, `${name} is silent and is killed`);
      worker.kill();
    }
  }

  #replace(place: Place): void {
    this.#start(place);
    const { worker } = place;
    worker?.began
      .then(() => {
        place.isServing = true;
        return this.#tellListeners(place, [...this.#bound.keys()]);
      })
      .catch((error: unknown) => {
        this.#options.logger.error({ worker: place.name, err: error }, 'a new worker cannot listen');
        worker.kill();
      });
  }

  #stopReplacing(): void {
    this.#phase = 'closing';
    this.#watch?.cancel();
    for (const { replacement } of this.#places) replacement?.cancel();
  }

  /** Binds what is not bound yet. */
  async #bindNew(listeners: readonly EdgeListener[], inherited: InheritedByKey): Promise<Map<string, BoundListener>> {
    const opened = new Map<string, BoundListener>();
    try {
      for (const { address } of listeners) {
        const key = listenKey(address);
        if (this.#bound.has(key)) continue;
        const sockets = inherited.get(key);
        opened.set(
          key,
          sockets
            ? inheritedListener(address, sockets)
            : await bindSockets(address, this.#options.count * SOCKETS_PER_PROCESS),
        );
      }
    } catch (error) {
      for (const { sockets } of opened.values()) for (const socket of sockets) socket.close();
      throw error;
    }
    return opened;
  }

  /** Lets go of sockets that no listener uses. */
  #unbindUnused(): void {
    const used = new Set(this.#listeners.map(({ address }) => listenKey(address)));
    for (const [key, { sockets }] of this.#bound) {
      if (used.has(key)) continue;
      for (const socket of sockets) socket.close();
      this.#bound.delete(key);
    }
  }

  async #tellAll(fresh: readonly string[]): Promise<void> {
    const serving = this.#places.filter(({ isServing }) => isServing);
    await Promise.all(serving.map((place) => this.#tellListeners(place, fresh)));
  }

  /**
   * Has a worker listen on the present listeners. One that ends meanwhile is no failure: its successor does it.
   * @param fresh keys of sockets that it does not have yet
   */
  async #tellListeners({ index, worker }: Place, fresh: readonly string[]): Promise<void> {
    if (worker === undefined) return;
    const sockets = new Map<string, object[]>();
    for (const key of fresh) {
      sockets.set(key, socketsOf(this.#bound.get(key)?.sockets ?? [], index, this.#options.count));
    }
    const timer = this.#options.clock.after(ANSWER_MS, () => worker.kill());
    await worker
      .listen(this.#listeners, sockets)
      .catch(unlessGone)
      .finally(() => timer.cancel());
  }
}

/** Each socket is some worker's, and each worker has one: where there are too few, some share. */
function socketsOf(sockets: readonly BoundSocket[], index: number, count: number): BoundSocket[] {
  if (sockets.length < count) return sockets.slice(index % sockets.length, (index % sockets.length) + 1);
  return sockets.filter((_, position) => position % count === index);
}

function inheritedListener({ host, port }: HostPort, sockets: readonly BoundSocket[]): BoundListener {
  const real = sockets[0] === undefined ? port : nameOf(sockets[0]).port;
  return { sockets, address: { host, port: real } };
}

/** A worker that is gone has nothing left to do. */
function unlessGone(error: unknown): void {
  if (!(error instanceof PilotlightError && error.code === 'CANCELLED')) throw error;
}
