/** The composition root: builds the parts, joins them by their ports, boots them in order and drains them in order. */
import './first.ts';

import { extname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createAdmin } from './admin/create-admin.ts';
import { runCli } from './cli/cli.ts';
import type { ProxyOptions, RunningProxy } from './cli/running-proxy.ts';
import { flushTerminal, processTerminal } from './cli/terminal.ts';
import { changeFields, describeReload, describeSource } from './config/changes/describe.ts';
import { diffSettings, hasChanges } from './config/changes/diff.ts';
import { type Control, createControl } from './control/create-control.ts';
import { createConsulRegistrar } from './discovery/consul/registrar.ts';
import type { ConsulSettings } from './discovery/consul/settings.ts';
import { createConsulSource } from './discovery/consul/source.ts';
import { createStaticSource } from './discovery/static/source.ts';
import { createEdge } from './edge/edge.ts';
import { toPilotlightError } from './model/errors.ts';
import { type EventSink, type EventType, type PilotEvent, troubles } from './model/events.ts';
import type { ControlMessage, EdgeMessage } from './model/link.ts';
import type { Logger } from './model/observe.ts';
import type { ConfigSource, ReloadResult } from './model/reload.ts';
import type { Settings } from './model/settings.ts';
import type { ControlApi } from './model/status.ts';
import { openAccessLog } from './observe/access-log.ts';
import { createLogger } from './observe/logger.ts';
import { createMetrics } from './observe/metrics.ts';
import { createDockerRuntime } from './runtime/docker/runtime.ts';
import type { DockerSettings } from './runtime/docker/settings.ts';
import { createProcessRuntime } from './runtime/process/runtime.ts';
import { unlessAborted } from './util/abort.ts';
import { createChannel } from './util/channel.ts';
import { systemClock } from './util/clock.ts';
import { descriptorLimit, descriptorWarning } from './util/descriptors.ts';
import { freeAfterBoot } from './util/free-memory.ts';
import { hostPort } from './util/host-port.ts';
import { listenKey } from './util/listening.ts';
import { openStateDirectory } from './util/state-directory.ts';
import { assignSockets, inheritSockets, nameOf } from './workers/bound-sockets.ts';
import type { DataPlane } from './workers/data-plane.ts';
import { WorkerPool } from './workers/worker-pool.ts';

/** What a drain may take beyond the services' own limits, ms. */
const MARGIN_MS = 2000;
/** How long a successor waits for its sources, and for what runs already, before it takes requests, ms. */
const SETTLE_MS = 10_000;

/** A file of the program beside this one: built or not, as this one is. */
const beside = (name: string) => join(import.meta.dirname, `${name}${extname(import.meta.filename)}`);
/** What a worker process runs. */
const WORKER = { preload: beside('first'), entry: beside('worker') };

/** `handing-over`: a successor has the replicas, and serves soon or does. */
type Phase = 'booting' | 'serving' | 'handing-over' | 'draining';
type Undo = () => Promise<unknown>;

/** Boots a proxy; what was opened is closed again when a later step fails. See `StartProxy` for the errors. */
async function startProxy(settings: Settings, options: ProxyOptions): Promise<RunningProxy> {
  const undo: Undo[] = [];
  try {
    return await boot(settings, options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

async function boot(settings: Settings, options: ProxyOptions, undo: Undo[]): Promise<RunningProxy> {
  const { signal, onEvent, predecessor, inherited = [] } = options;
  const clock = systemClock;
  const logger = createLogger({ level: options.logLevel });
  const metrics = createMetrics();
  let phase: Phase = 'booting';
  let current = settings;

  await predecessor?.letGo();
  let state = await openStateDirectory(settings.state);
  undo.push(() => state.release());
  const { instance, secret } = state;

  const { consul, docker } = partsOf(settings);
  const common = { clock, logger, instance };
  const runtimes = [createProcessRuntime({ ...common, stateDirectory: state.path, baseEnv: options.env })];
  // Its client costs a quarter of a second and 20 MB: only where it is configured.
  if (docker !== undefined) runtimes.push(await createDockerRuntime({ ...common, settings: docker }));
  const token = () => partsOf(current).consul?.token;
  const sources = [createStaticSource({ clock, logger })];
  if (consul !== undefined) sources.push(createConsulSource({ ...common, settings: consul, token }));
  const registers = consul !== undefined && consul.register !== false;
  const registrar = registers ? { registrar: createConsulRegistrar({ ...common, settings: consul, token }) } : {};
  const control = createControl({
    ...common,
    ...registrar,
    settings,
    secret,
    metrics,
    runtimes,
    sources,
    succeeding: predecessor !== undefined,
  });
  undo.push(() => control.shutdown(AbortSignal.timeout(MARGIN_MS)));

  const attach: Control['attach'] = (edge, link, end) => control.attach(edge, link, end);
  const { workers: count, accessLog } = settings;
  const plane =
    count === 1
      ? await ownEdge(accessLog, attach, logger)
      : new WorkerPool({ ...WORKER, count, logLevel: options.logLevel, accessLog, clock, logger, attach });
  undo.push(() => plane.close());

  const events = joinEvents(control, logger, onEvent);
  const api: ControlApi = {
    services: () => control.services(),
    service: (name) => control.service(name),
    wake: (name) => control.wake(name),
    sleep: (name) => control.sleep(name),
    collect: () => control.collect(),
    ready: () => phase === 'serving' && control.ready(),
    awaited: () => control.awaited?.(),
    subscribe: events.subscribe,
  };
  const { reload } = options;
  const admin = createAdmin({ settings: settings.admin, api, reload, renderMetrics: metrics.render, logger, clock });
  const bound = await takeSockets(settings, inherited, logger);
  const openAdmin = () => admin.listen(bound.get(listenKey(settings.admin.address))?.[0]);
  // Before the rest, so that readiness can be observed while the rest boots; after it where another one is ready.
  let adminAddress = predecessor === undefined ? await openAdmin() : settings.admin.address;
  undo.push(() => admin.close());

  // What it started is stopped by the undoing when the boot is broken off, which aborting it would not do.
  await unlessAborted(Promise.all([control.start(new AbortController().signal), plane.begin()]), signal);
  if (predecessor !== undefined)
    await control.settled(deadline(SETTLE_MS, signal)).catch(() => signal.throwIfAborted());
  freeAfterBoot(settings.services.length);
  let listening = await plane.listen(settings.listen, bound);
  warnOfDescriptors(settings, logger);
  phase = 'serving';
  if (predecessor !== undefined) {
    adminAddress = await openAdmin();
    predecessor.serving((service) => void control.wake(service).catch(() => undefined));
    void predecessor.gone.then(() => control.takeOver());
    events.emit('upgraded', 'this process serves in the place of the one before', { pid: process.pid });
  }
  logger.info({ listening, admin: adminAddress, instance }, 'serving');

  const refuseReload = (problems: readonly string[], source: ConfigSource): ReloadResult => {
    // One alone is all that the event says.
    if (problems.length > 1) for (const problem of problems) logger.error({ problem }, `not reloaded: ${problem}`);
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
    const message = `not reloaded, nothing changed: ${problems[0]}${more}; ${describeSource(source)}`;
    events.emit('reload-failed', message, { problems: problems.length, ...fieldsOf(source) });
    return { ...source, reloaded: false, problems: [...problems] };
  };

  return {
    get listening() {
      return listening;
    },
    admin: adminAddress,
    logger,
    refuseReload,
    get sockets() {
      return [...plane.sockets, admin.socket];
    },
    alone: (signal) => (predecessor === undefined ? Promise.resolve() : unlessAborted(predecessor.gone, signal)),
    async letGo({ pid, wake }, limit) {
      await control.letGo(wake, limit);
      try {
        await state.handTo(pid);
      } catch (error) {
        control.resume();
        throw error;
      }
      phase = 'handing-over';
    },
    async resume(reason) {
      if (phase === 'handing-over') {
        phase = 'serving';
        await openStateDirectory(settings.state).then(
          (opened) => {
            state = opened;
          },
          (error: unknown) => logger.error({ err: error }, 'the state directory is not ours any more'),
        );
        control.resume();
      }
      logger.error({ reason }, 'not upgraded');
      events.emit('upgrade-failed', `not upgraded, this process goes on: ${reason}`, {});
    },
    async reload(next, source) {
      await predecessor?.gone;
      if (phase === 'draining') return refuseReload(['the proxy is about to end'], source);
      const missing = partsMissing(current, next);
      if (missing.length > 0) return refuseReload(missing, source);
      const { accessLog, admin, workers, state } = current;
      const merged: Settings = { ...next, accessLog, admin, workers, state, parts: keptParts(current, next) };
      try {
        listening = await plane.listen(merged.listen);
      } catch (error) {
        return refuseReload([toPilotlightError(error).message], source);
      }
      const changes = diffSettings(current, next);
      // In force from here on, whatever fails below: what comes next is compared with it.
      const isTokenNew = partsOf(current).consul?.token !== partsOf(merged).consul?.token;
      current = merged;
      control.reconfigure(merged);
      if (isTokenNew) control.renewRegistrations();
      await plane
        .reopenLog()
        .catch((error: unknown) => logger.error({ err: error }, 'the access log is not opened anew'));
      warnOfDescriptors(merged, logger);
      const { needRestart } = changes;
      if (needRestart.length > 0) logger.warn({ needRestart }, `takes a restart to change: ${needRestart.join(', ')}`);
      const services = merged.services.length;
      const changed = hasChanges(changes);
      const fields = { services, nothingChanged: !changed, ...changeFields(changes), ...fieldsOf(source) };
      events.emit('reloaded', describeReload(changes, source, services), fields);
      return { ...source, reloaded: true, changed, changes };
    },
    async stop(hurry) {
      const handOver = phase === 'handing-over';
      phase = 'draining';
      const drainMs = Math.max(0, ...current.services.map(({ timeouts }) => timeouts.drainMs));
      const graceMs = Math.max(0, ...current.services.map(({ run }) => run?.stop.graceMs ?? 0));
      const within = (ms: number) => deadline(ms, hurry);
      control.beginDrain();
      // Whoever asks from now on is to be answered by the successor.
      const adminClosed = handOver ? admin.close() : undefined;
      await attempt('drain', plane.drain(drainMs, handOver), within(drainMs + MARGIN_MS), logger);
      // It uses the replicas until its end, which is no later than its own drain.
      if (predecessor !== undefined)
        await attempt('predecessor', predecessor.gone, within(drainMs + MARGIN_MS), logger);
      const limit = within(graceMs + MARGIN_MS);
      await attempt('stop of replicas', control.shutdown(limit), within(graceMs + 2 * MARGIN_MS), logger);
      await attempt('close', Promise.all([plane.close(), adminClosed ?? admin.close()]), within(MARGIN_MS), logger);
      await attempt('release of the state directory', state.release(), within(MARGIN_MS), logger);
    },
  };
}

/** Sorts the sockets that this process was started with, by `listenKey`; what nothing is configured for is closed. */
async function takeSockets(settings: Settings, inherited: readonly number[], logger: Logger) {
  const addresses = [...settings.listen.map(({ address }) => address), settings.admin.address];
  const { assigned, left } = await assignSockets(addresses, inheritSockets(inherited));
  for (const socket of left) {
    const { address: host, port } = nameOf(socket);
    logger.warn({ host, port }, `inherited socket ${hostPort({ host, port })} is not configured: closed`);
    socket.close();
  }
  return assigned;
}

/** Says where more connections are configured than the system lets this process, or its workers, open. */
function warnOfDescriptors({ listen, workers }: Settings, logger: Logger): void {
  const limit = descriptorLimit();
  const connections = listen.reduce((sum, { limits }) => sum + limits.connections, 0);
  const warning = limit === undefined ? undefined : descriptorWarning(limit, connections, workers);
  if (warning !== undefined) logger.warn({ limit, connections }, warning);
}

/** One edge, in this process. */
async function ownEdge(
  accessLog: Settings['accessLog'],
  attach: Control['attach'],
  logger: Logger,
): Promise<DataPlane> {
  const [edgeEnd, controlEnd] = createChannel<ControlMessage, EdgeMessage>();
  const access = accessLog && (await openAccessLog(accessLog, systemClock, logger));
  const options = { link: edgeEnd, clock: systemClock, logger, descriptors: descriptorLimit() };
  const edge = createEdge(access === undefined ? options : { ...options, access });
  return {
    async begin() {
      attach('edge-1', controlEnd);
      // The edge gets its first routes in a turn of its own, and takes no request before it has them.
      await nextTurn();
    },
    get sockets() {
      return edge.sockets;
    },
    listen: (listeners, inherited) => edge.listen(listeners, inherited),
    reopenLog: async () => access?.reopen(),
    drain: (deadlineMs, handOver) => edge.drain(deadlineMs, handOver),
    async close() {
      await edge.close();
      await access?.close();
    },
  };
}

/** The control plane's events and our own, to the log, to whoever booted us and to subscribers. */
function joinEvents(control: ControlApi, logger: Logger, onEvent: EventSink) {
  const sinks = new Set<EventSink>([
    onEvent,
    ({ type, service, message, data }) =>
      logger[troubles.has(type) ? 'warn' : 'info']({ event: type, service, ...data }, message),
  ]);
  const pass: EventSink = (event) => {
    for (const sink of sinks) sink(event);
  };
  control.subscribe(pass);
  return {
    subscribe(sink: EventSink): () => void {
      sinks.add(sink);
      return () => sinks.delete(sink);
    },
    emit(type: EventType, message: string, data: PilotEvent['data']): void {
      pass({ at: new Date(systemClock.wall()).toISOString(), type, service: null, message, data });
    },
  };
}

function fieldsOf({ file, modified }: ConfigSource): Record<string, string> {
  return modified === null ? { file } : { file, modified };
}

interface Parts {
  consul?: ConsulSettings;
  docker?: DockerSettings;
}

function partsOf({ parts }: Settings): Parts {
  return parts;
}

/** What this process was built with stays, but for the token, which is asked for at each call. */
function keptParts(current: Settings, next: Settings): Settings['parts'] {
  const { consul } = partsOf(current);
  if (consul === undefined) return current.parts;
  return { ...current.parts, consul: { ...consul, token: partsOf(next).consul?.token } };
}

/** What the next configuration needs and this process was not built with: without it its services could not work. */
function partsMissing(current: Settings, next: Settings): string[] {
  const missing = Object.keys(next.parts).filter((part) => current.parts[part] === undefined);
  return missing.sort().map((part) => `${part} was not configured when this process started: restart it`);
}

/** Aborted after `ms` milliseconds or by the other signal. Does not keep the process alive. */
function deadline(ms: number, other: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(ms), other]);
}

/** Awaits a step of the drain until the limit; a step that fails or hangs must not keep the next from happening. */
async function attempt(what: string, step: Promise<unknown>, limit: AbortSignal, logger: Logger): Promise<void> {
  try {
    await unlessAborted(step, limit);
  } catch (error) {
    logger.warn({ err: error }, `the ${what} did not end in order`);
  }
}

const code = await runCli(process.argv.slice(2), startProxy, processTerminal());
await flushTerminal();
process.exit(code);
