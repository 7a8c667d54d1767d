/** The composition root: builds the parts, joins them by their ports, boots them in order and drains them in order. */
import { extname, join } from 'node:path';
import { createAdmin } from './admin/create-admin.ts';
import { AcmeSource } from './certificates/acme/acme-source.ts';
import { FileSource } from './certificates/file-source.ts';
import { UpstreamFiles } from './certificates/upstream-files.ts';
import type { ProxyOptions, RunningProxy } from './cli/running-proxy.ts';
import {
  describeRefusal,
  describeReload,
  describeRestart,
  reloadFields,
  sourceFields,
} from './config/changes/describe.ts';
import { diffSettings, hasChanges } from './config/changes/diff.ts';
import { useConsul } from './consul-in-use.ts';
import type { Control } from './control/control.ts';
import { controlApi } from './control-api.ts';
import { openControlPlane } from './control-plane.ts';
import { openDeclared } from './declared.ts';
import { createStaticSource } from './discovery/static/source.ts';
import { createRouteBook } from './edge/route/route-book.ts';
import type { CertificateNews } from './model/certificates.ts';
import { toPilotlightError } from './model/errors.ts';
import type { Logger } from './model/observe.ts';
import type { ConfigSource, ReloadResult } from './model/reload.ts';
import type { Runtime } from './model/runtime.ts';
import type { ListenSettings, Settings } from './model/settings.ts';
import { countDaysLeft } from './observe/certificate-metrics.ts';
import { joinEvents } from './observe/joined-events.ts';
import { createLogger } from './observe/logger.ts';
import { createMetrics } from './observe/metrics.ts';
import { openTraces } from './observe/traces/open-traces.ts';
import { ownPlane } from './own-plane.ts';
import { partsMissing, partsOf, whatCanChange } from './parts.ts';
import { createDockerRuntime } from './runtime/docker/runtime.ts';
import { createProcessRuntime } from './runtime/process/runtime.ts';
import { createSwarmRuntime } from './runtime/swarm/runtime.ts';
import { abortedWithin, unlessAborted } from './util/abort.ts';
import { systemClock } from './util/clock.ts';
import { warnOfDescriptors } from './util/descriptors.ts';
import { freeAfterBoot } from './util/free-memory.ts';
import { readHostMemory } from './util/host-memory.ts';
import { inTurns } from './util/in-turns.ts';
import { listenKey } from './util/listening.ts';
import { openStateDirectory } from './util/state-directory.ts';
import { takeSockets } from './workers/bound-sockets.ts';
import type { DataPlane } from './workers/data-plane.ts';
import { WorkerPool } from './workers/worker-pool.ts';
import { youngMemoryBounded } from './workers/young-memory.ts';

/** What a drain may take beyond the services' own limits, ms. */
const MARGIN_MS = 4000;
/** How long a successor waits for its sources, and for what runs already, before it takes requests, ms. */
const SETTLE_MS = 10_000;

/** How long services that declare themselves are waited for before requests are taken, ms. */
const DECLARED_MS = 5000;

/** How often the days until certificates expire are counted anew, ms. */
const DAYS_LEFT_EVERY_MS = 60_000;

/** A file of the program beside this one: built or not, as this one is. */
const beside = (name: string) => join(import.meta.dirname, `${name}${extname(import.meta.filename)}`);
/** What a worker process runs. */
const WORKER = { preload: beside('first'), entry: beside('worker') };

/** `handing-over`: a successor has the replicas, and serves soon or does. */
type Phase = 'booting' | 'serving' | 'handing-over' | 'draining';
type Undo = () => Promise<unknown>;

/** Boots a proxy; what was opened is closed again when a later step fails. See `StartProxy` for the errors. */
export async function startProxy(settings: Settings, options: ProxyOptions): Promise<RunningProxy> {
  const undo: Undo[] = [];
  try {
    return await boot(settings, options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => undefined);
    throw error;
  }
}

async function boot(file: Settings, options: ProxyOptions, undo: Undo[]): Promise<RunningProxy> {
  const { signal, predecessor, logLevel, logFormat } = options;
  let phase: Phase = 'booting';

  // 1. Time, log, metrics and traces.
  const clock = systemClock;
  const logger = createLogger({ level: logLevel, format: logFormat });
  const metrics = createMetrics();
  const traces = file.traces && (await openTraces(file.traces, clock, logger));
  undo.push(async () => traces?.close());

  // 2. The state directory, which one process at a time has. It holds this proxy's identity, what it decided and
  // what it has learnt.
  const handed = await predecessor?.letGo();
  let state = await openStateDirectory(file.state);
  undo.push(() => state.release());
  const { cluster } = file;
  // Few proxies are members of a cluster, and the wire takes memory.
  const clustered = cluster && { ...(await import('./cluster-in-use.ts')), cluster };
  const { instance, secret } = clustered?.sharedIdentity(clustered.cluster) ?? state;

  // 3. Runtimes, and the services that say themselves where they belong: those of the file are not all that there is.
  const { consul, docker, swarm } = partsOf(file);
  const common = { clock, logger, instance };
  const runtimes: Runtime[] = [createProcessRuntime({ ...common, stateDirectory: state.path, baseEnv: options.env })];
  // Its client costs a quarter of a second and 20 MB: only where it is configured.
  const engine = docker && (await createDockerRuntime({ ...common, settings: docker }));
  if (engine !== undefined) runtimes.push(engine);
  if (swarm !== undefined) runtimes.push(await createSwarmRuntime({ ...common, settings: swarm }));
  let current = file;
  // Other services than those of the file may be found where endpoints are.
  const inConsul = consul && useConsul({ ...common, settings: consul, token: () => partsOf(current).consul?.token });
  undo.push(async () => inConsul?.close());
  const declared = await openDeclared({
    settings: file,
    containers: engine?.containers,
    catalog: inConsul?.source.catalog,
    known: handed?.declarations,
    ...common,
  });
  undo.push(async () => declared.close());
  const isWhole = await unlessAborted(declared.begin(DECLARED_MS), signal);
  const settings = declared.merge();
  current = settings;

  // 4. Sources: where there is another one, it is joined here.
  const openSources = () => {
    return [createStaticSource({ clock, logger }), ...(inConsul === undefined ? [] : [inConsul.openSource()])];
  };

  // 5. The control plane.
  const telling = {
    clock,
    tell: ({ type, message, ...fields }: CertificateNews) => events.emit(type, message, fields),
  };
  const upstreamFiles = new UpstreamFiles({
    ...telling,
    onChange: () => (phase === 'serving' || phase === 'handing-over') && control.reconfigure(current),
  });
  undo.push(async () => upstreamFiles.close());
  upstreamFiles.use(await upstreamFiles.read(settings.services));
  const planeOptions = {
    ...common,
    folder: state.path,
    names: isWhole ? settings.services.map(({ name }) => name) : undefined,
    secret,
    upstreamTls: () => upstreamFiles.byService,
    metrics,
    traces,
    // Containers are not in the control group of this process.
    hostMemory: () => readHostMemory(docker === undefined),
    runtimes,
    succeeding: predecessor !== undefined,
    known: handed,
  };
  const { control, ...kept } = await (cluster && inConsul && clustered
    ? clustered.joinCluster({
        cluster,
        planeOptions,
        settings: () => current,
        openSources,
        openLock: inConsul.openLock,
        openValues: inConsul.openValues,
      })
    : openControlPlane({ ...planeOptions, settings, sources: openSources(), registrar: inConsul?.registrar }));
  const shared = 'secrets' in kept ? kept.secrets : undefined;
  undo.push(() => kept.release());
  undo.push(() => control.shutdown(AbortSignal.timeout(MARGIN_MS)));
  inConsul?.onNewToken(() => control.renewRegistrations());
  const events = joinEvents(control, clock, logger, options.onEvent);

  // 6. The data plane: one edge in this process, or workers.
  const attach: Control['attach'] = (edge, link, end) => control.attach(edge, link, end);
  const { workers: count, accessLog, traces: tracing } = settings;
  const flags = youngMemoryBounded(process.execArgv, options.env['NODE_OPTIONS']);
  const plane =
    count === 1
      ? await ownPlane(accessLog, traces, attach, logger)
      : new WorkerPool({
          ...WORKER,
          logLevel,
          logFormat,
          flags,
          count,
          accessLog,
          traces: tracing,
          clock,
          logger,
          attach,
        });
  undo.push(() => plane.close());

  // 7. Certificates: files are watched, and what is to be ordered is, once requests are taken.
  const certificateOptions = { ...telling, warn: (message: string) => logger.warn({}, message) };
  const useChanged = () =>
    void renewCertificates().catch((error: unknown) =>
      logger.error({ err: error }, 'changed certificates are not in use'),
    );
  const files = new FileSource({ ...certificateOptions, shared, ticketKeys: handed?.ticketKeys, onChange: useChanged });
  const certificates = new AcmeSource({
    ...certificateOptions,
    files,
    shared,
    folder: join(state.path, 'acme'),
    apply: () => renewCertificates(),
  });
  undo.push(async () => certificates.close());
  const inTurn = inTurns();
  const showDaysLeft = () => countDaysLeft(certificates.facts, metrics, clock);
  const listenOn = (listeners: readonly ListenSettings[], sockets?: Parameters<DataPlane['listen']>[1]) =>
    inTurn(async () => {
      const addresses = await plane.listen(await certificates.equip(listeners), sockets);
      certificates.follow(listeners);
      showDaysLeft();
      return addresses;
    });
  const renewCertificates = () =>
    inTurn(async () => {
      if (phase !== 'serving') return;
      await plane.listen(await certificates.renew());
      showDaysLeft();
    });
  const daysLeft = clock.every(DAYS_LEFT_EVERY_MS, showDaysLeft);
  undo.push(async () => daysLeft.cancel());

  // 8. The admin API: before the rest boots, so that readiness can be observed; after it where another one is ready.
  const ready = () => phase === 'serving' && control.ready();
  const api = controlApi(control, { ready, subscribe: events.subscribe });
  const { reload } = options;
  const admin = createAdmin({
    settings: settings.admin,
    api,
    reload,
    certificates: () => certificates.status,
    declarations: () => declared.standing,
    routes: createRouteBook({ table: () => control.table(), listeners: () => current.listen, logger }),
    renderMetrics: metrics.render,
    logLevel: {
      get: () => logger.level,
      set: (level) => {
        logger.level = level;
        plane.setLogLevel(level);
      },
    },
    logger,
    clock,
  });
  const addresses = [...settings.listen.map(({ address }) => address), settings.admin.address];
  const bound = await takeSockets(addresses, options.inherited ?? [], logger);
  const openAdmin = () => admin.listen(bound.get(listenKey(settings.admin.address))?.[0]);
  let adminAddress = predecessor === undefined ? await openAdmin() : settings.admin.address;
  undo.push(() => admin.close());

  // 9. Control finds out what runs, and every edge gets its routes. What control started is stopped by the undoing when
  // the boot is broken off, which aborting it would not do.
  await unlessAborted(Promise.all([control.start(new AbortController().signal), plane.begin()]), signal);
  if (predecessor !== undefined)
    await control.settled(abortedWithin(SETTLE_MS, signal)).catch(() => signal.throwIfAborted());
  freeAfterBoot(settings.services.length);

  // 10. Requests are taken.
  let listening = await listenOn(settings.listen, bound);
  warnOfDescriptors(settings, logger);
  phase = 'serving';
  upstreamFiles.watch();
  // What other members told until now was not taken.
  if (shared !== undefined) useChanged();

  // 11. A predecessor ends, and what it had is this process's alone.
  if (predecessor !== undefined) {
    adminAddress = await openAdmin();
    predecessor.serving((service) => void control.wake(service).catch(() => undefined));
    void predecessor.gone.then(() => control.takeOver());
    // Until then it may be asked for a proof in our place.
    void predecessor.gone.then(() => certificates.begin());
    events.emit('upgraded', 'this process serves in the place of the one before', { pid: process.pid });
  } else certificates.begin();
  logger.info({ listening, admin: adminAddress, instance }, 'serving');

  /** Serves other settings from now on. @throws where a listener or a certificate is of no use; all is as before then */
  const serve = async (next: Settings, onlyDeclared = false) => {
    // What is declared names no files: a broken one is no reason to leave it out.
    const upstreamReading = await upstreamFiles.read(next.services, onlyDeclared);
    listening = await listenOn(next.listen);
    upstreamFiles.use(upstreamReading);
    const isTokenNew = partsOf(current).consul?.token !== partsOf(next).consul?.token;
    // In force from here on, whatever fails below: what comes next is compared with it.
    current = next;
    control.reconfigure(next);
    if (isTokenNew) control.renewRegistrations();
  };

  const changing = inTurns();
  let inFile = file;
  const takeDeclared = (): Promise<void> =>
    changing(async () => {
      await predecessor?.gone;
      if (phase !== 'serving') return;
      const merged = declared.merge();
      if (hasChanges(diffSettings(current, merged))) await serve(merged, true);
    }).catch((error: unknown) => {
      logger.error({ err: error }, 'what is declared is not in use');
      declared.again();
    });
  declared.follow(() => void takeDeclared(), events.emit);

  const refuseReload = (problems: readonly string[], source: ConfigSource): ReloadResult => {
    // One alone is all that the event says.
    if (problems.length > 1) for (const problem of problems) logger.error({ problem }, `not reloaded: ${problem}`);
    const fields = { problems: problems.length, ...sourceFields(source) };
    events.emit('reload-failed', describeRefusal(problems, source), fields);
    return { ...source, reloaded: false, problems: [...problems] };
  };

  return {
    get listening() {
      return listening;
    },
    admin: adminAddress,
    api,
    logger,
    refuseReload,
    get handedOver() {
      return { ticketKeys: certificates.ticketKeys, ...control.knownEndpoints(), declarations: declared.known };
    },
    get sockets() {
      return [...plane.sockets, admin.socket];
    },
    alone: (signal) => (predecessor === undefined ? Promise.resolve() : unlessAborted(predecessor.gone, signal)),
    async letGo({ pid, wake }, limit) {
      await control.letGo(wake, limit);
      try {
        await Promise.all([kept.release(), certificates.pause()]);
        await state.handTo(pid);
      } catch (error) {
        kept.resume();
        control.resume();
        certificates.begin();
        throw error;
      }
      phase = 'handing-over';
    },
    async resume(reason) {
      if (phase === 'handing-over') {
        phase = 'serving';
        await openStateDirectory(file.state).then(
          (opened) => {
            state = opened;
            kept.resume();
          },
          (error: unknown) => logger.error({ err: error }, 'the state directory is not ours any more'),
        );
        control.resume();
        certificates.begin();
        // What changed meanwhile was not taken, and is no change any more.
        useChanged();
        void takeDeclared();
      }
      logger.error({ reason }, 'not upgraded');
      events.emit('upgrade-failed', `not upgraded, this process goes on: ${reason}`, {});
    },
    reload: (next, source) =>
      changing(async () => {
        await predecessor?.gone;
        if (phase === 'draining') return refuseReload(['the proxy is about to end'], source);
        const missing = partsMissing(current, next);
        if (missing.length > 0) return refuseReload(missing, source);
        const usable = whatCanChange(current, next);
        const before = current;
        const merged = declared.merge(usable);
        try {
          await serve(merged);
        } catch (error) {
          declared.merge(inFile);
          return refuseReload([toPilotlightError(error).message], source);
        }
        inFile = usable;
        const changes = diffSettings(before, { ...next, listen: merged.listen, services: merged.services });
        await plane
          .reopenLog()
          .catch((error: unknown) => logger.error({ err: error }, 'the access log is not opened anew'));
        warnOfDescriptors(merged, logger);
        const { needRestart } = changes;
        if (needRestart.length > 0) logger.warn({ needRestart }, describeRestart(changes));
        const { length } = merged.services;
        events.emit('reloaded', describeReload(changes, source, length), reloadFields(changes, source, length));
        return { ...source, reloaded: true, changed: hasChanges(changes), changes };
      }),

    async stop(hurry) {
      const handOver = phase === 'handing-over';
      phase = 'draining';
      const drainMs = Math.max(0, ...current.services.map(({ timeouts }) => timeouts.drainMs));
      const graceMs = Math.max(0, ...current.services.map(({ run }) => run?.stop.graceMs ?? 0));
      const attempt = attempts(hurry, logger);
      certificates.close();
      upstreamFiles.close();
      declared.close();
      daysLeft.cancel();

      // 1. Not ready any more, and out of the catalogue. With a successor, that is who answers questions from now on.
      control.beginDrain();
      const adminClosed = handOver ? admin.close() : undefined;

      // 2. No new connection; what is under way finishes.
      await attempt('drain', drainMs, plane.drain(drainMs, handOver));

      // 3. A predecessor uses the replicas until its end, which is no later than its own drain.
      if (predecessor !== undefined) await attempt('predecessor', drainMs, predecessor.gone);

      // 4. Replicas that are not to outlive the proxy stop.
      const stopped = control.shutdown(abortedWithin(graceMs + MARGIN_MS, hurry));
      await attempt('stop of replicas', graceMs + MARGIN_MS, stopped);

      // 5. All else closes, the state directory last: whoever waits for it may rely on the rest.
      inConsul?.close();
      await attempt('close', 0, Promise.all([plane.close(), adminClosed ?? admin.close()]));
      await attempt('end of the traces', 0, traces?.close() ?? Promise.resolve());
      await attempt('end of the journal', 0, kept.release());
      await attempt('release of the state directory', 0, state.release());
    },
  };
}

/** Awaits steps of the end: one that fails, or takes more than its time and a margin, must not keep the next from it. */
function attempts(hurry: AbortSignal, logger: Logger) {
  return async (what: string, ms: number, step: Promise<unknown>): Promise<void> => {
    try {
      await unlessAborted(step, abortedWithin(ms + MARGIN_MS, hurry));
    } catch (error) {
      logger.warn({ err: error }, `the ${what} did not end in order`);
    }
  };
}
