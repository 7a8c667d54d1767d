import { randomBytes } from 'node:crypto';
import type { Costs } from '../model/costs.ts';
import type { ServiceWhy } from '../model/decision.ts';
import { PilotlightError } from '../model/errors.ts';
import type { EventSink } from '../model/events.ts';
import type { KnownEndpoints } from '../model/hand-over.ts';
import type { MemoryUse } from '../model/host-memory.ts';
import { noJournal } from '../model/journal.ts';
import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import type { ServiceSettings, Settings } from '../model/settings.ts';
import type { RoutingTable } from '../model/snapshot.ts';
import type { SourceStatus } from '../model/sources.ts';
import type {
  EndpointByHand,
  EndpointStatus,
  ReplicaOutput,
  ScaleByHand,
  ServiceStatus,
  StartRecord,
} from '../model/status.ts';
import type { LatencyThreshold } from '../model/threshold.ts';
import type { UpstreamTls } from '../model/upstream.ts';
import { aborted } from '../util/abort.ts';
import type { ChannelEnd } from '../util/channel.ts';
import type { Timer } from '../util/clock.ts';
import { type ControlContext, detached, guarded } from './context.ts';
import type { Control, ControlOptions } from './control.ts';
import { adminAddressCheck } from './endpoints/admin-address.ts';
import { Catalog } from './endpoints/catalog.ts';
import { Registrations } from './endpoints/registration.ts';
import { Registry } from './endpoints/registry.ts';
import { Sources } from './endpoints/sources.ts';
import { EventBus } from './journal/event-bus.ts';
import { gaugeMemory } from './journal/service-metrics.ts';
import type { AbsentEdges } from './link/absent-edges.ts';
import { LinkHub, type Snapshot } from './link/hub.ts';
import { routingTable } from './link/routing-table.ts';
import { Prewarm } from './replica/prewarm.ts';
import { Runtimes } from './replica/runtimes.ts';
import { WakeShares } from './scale/idle-shares.ts';
import { noLearntStore } from './scale/learnt-store.ts';
import { SiblingGaps } from './scale/sibling-gaps.ts';
import { ALL_SERVICES } from './scale/sibling-store.ts';
import { ServiceController } from './service/controller.ts';
import { EdgeNews } from './service/edge-news.ts';
import { changeEndpoint } from './service/endpoint-by-hand.ts';
import { memoryFreezes } from './service/freezes.ts';
import { HandOver } from './service/hand-over.ts';
import type { ServiceHost } from './service/host.ts';
import { memoryKeptByHand } from './service/kept-by-hand.ts';
import { Services } from './service/services.ts';
import { StartGate } from './start/gate.ts';
import { MemoryBudget } from './start/memory-budget.ts';

/** How often every service is looked at, ms. */
const TICK_MS = 1000;
/** How long fresh statistics are waited for, ms. */
const COLLECT_MS = 250;
/** How long the catalogue may take to forget us at the end, ms. */
const DEREGISTER_MS = 2000;

export function createControl(options: ControlOptions): Control {
  return new ControlPlane(options);
}

type Phase = 'new' | 'running' | 'draining' | 'ended';

class ControlPlane implements Control {
  readonly #context: ControlContext;
  readonly #events: EventBus;
  readonly #life = new AbortController();
  readonly #hub: LinkHub;
  readonly #registry: Registry;
  readonly #gate: StartGate;
  readonly #memory: MemoryBudget;
  readonly #registrations: Registrations;
  readonly #catalog: Catalog;
  readonly #discovery: Sources;
  readonly #prewarm: Prewarm;
  readonly #services: Services;
  readonly #host: ServiceHost;
  readonly #runtimes: Runtimes;
  readonly #handOver: HandOver;
  readonly #secret: string;
  readonly #upstreamTls: (() => ReadonlyMap<string, UpstreamTls>) | undefined;
  readonly #known: Partial<KnownEndpoints> | undefined;
  #settings: Settings;
  #phase: Phase = 'new';
  #tick: Timer | undefined;

  constructor(options: ControlOptions) {
    const { settings, clock, logger, metrics, instance, random = Math.random, journal = noJournal } = options;
    this.#settings = settings;
    this.#secret = options.secret ?? randomBytes(32).toString('hex');
    this.#upstreamTls = options.upstreamTls;
    this.#known = options.known;
    const events = new EventBus(clock, logger);
    this.#events = events;
    const { traces } = options;
    const context = { clock, logger, metrics, traces, events, journal, instance, random, life: this.#life.signal };
    this.#context = context;
    this.#services = new Services(logger, clock);
    const snapshot: Snapshot = (told) => ({ table: this.table(), states: this.#registry.states(told) });
    this.#hub = new LinkHub(clock, logger, new EdgeNews(context, this.#services), snapshot, options.edgesKnown);
    const byHand = options.byHand ?? memoryKeptByHand({ endpoints: options.known?.byHand ?? [] });
    const sources = options.sources.map(({ name }) => name);
    this.#registry = new Registry(context, this.#hub, sources, adminAddressCheck(settings.admin.address), byHand);
    this.#memory = new MemoryBudget({
      clock,
      bound: settings.budget.memory,
      host: options.hostMemory,
      onWanted: (service, losses, why) => {
        metrics.count('pilotlight_memory_retires_total', { service }, losses.length);
        guarded(logger, `memory of ${service}`, () =>
          this.#services.byName.get(service)?.lifecycle.makeRoom(losses, why),
        );
      },
      onOver: (name, text) => this.#services.byName.get(name)?.decisions.overMemory(text),
      onRoom: () => this.#gate.again(),
    });
    const giveUp = (name: string) =>
      guarded(logger, `share of ${name}`, () => this.#services.byName.get(name)?.lifecycle.look());
    this.#gate = new StartGate(clock, settings.budget, giveUp, this.#memory);
    this.#discovery = new Sources(context, options.sources, this.#registry);
    this.#registrations = new Registrations(context, options.registrar);
    this.#catalog = new Catalog(context, options.registrar, this.#registrations, () => this.#settings);
    this.#prewarm = new Prewarm(context);
    this.#runtimes = new Runtimes(context, options.runtimes, this.#services.byName, () => this.#handOver.mayEnd);
    this.#handOver = new HandOver(
      context,
      this.#services.byName,
      this.#runtimes,
      this.#registrations,
      options.succeeding ?? false,
      options.mayAct,
    );
    this.#services.groups.configure(settings.services);
    const siblingsLearnt = options.siblingsLearnt ?? noLearntStore;
    this.#host = {
      context,
      gate: this.#gate,
      memory: this.#memory,
      freezes: options.freezes ?? memoryFreezes(),
      byHand,
      groups: this.#services.groups,
      learnt: options.learnt ?? noLearntStore,
      idleLearnt: options.idleLearnt ?? noLearntStore,
      siblings: siblingsLearnt.take(ALL_SERVICES) ?? new SiblingGaps(),
      siblingsLearnt,
      costs: options.costs ?? noLearntStore,
      wakeShares: new WakeShares(),
      hub: this.#hub,
      registry: this.#registry,
      catalog: this.#catalog,
      prewarm: this.#prewarm,
      runtimes: this.#runtimes,
      discovery: this.#discovery,
      isDraining: () => this.#phase === 'draining' || this.#phase === 'ended' || !this.#handOver.mayEnd,
      mayStart: () => this.#handOver.mayStart,
      mayEnd: () => this.#handOver.mayEnd,
      onUnresponsive: (edge) => {
        this.#context.logger.warn({ edge }, 'an edge did not acknowledge a cordon in time');
        return this.#hub.end(edge);
      },
      onGone: (service) => this.#forget(service),
    };
    for (const service of settings.services) this.#add(service);
  }

  attach(edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end?: () => void): void {
    this.#hub.attach(edge, link, end);
  }

  get absent(): AbsentEdges {
    return this.#hub.absent;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    if (signal.aborted) this.#end();
    else signal.addEventListener('abort', () => this.#end(), { once: true });
    if (this.#phase !== 'new') return;
    this.#phase = 'running';
    let last = clock.now();
    this.#tick = clock.every(TICK_MS, () => {
      const elapsed = clock.now() - last;
      last = clock.now();
      this.#countLostStarts();
      this.#memory.tick();
      this.#services.each((service) => service.tick(elapsed), this.#services.undormant());
    });
    this.#discovery.follow(this.#settings.services);
    this.#discovery.begin(this.#known?.endpoints);
    this.#catalog.putProxy();
    detached(this.#context, 'keeping of registrations', this.#registrations.keep());
    await this.#runtimes.begin();
    this.#services.each(({ lifecycle }) => lifecycle.onContact());
    this.#services.each(({ byHand }) => byHand.count.look());
    if (this.#handOver.mayEnd) this.#dropOrphans();
  }

  /** Those of requests are told by the edges. */
  #countLostStarts(): void {
    const lost = this.#context.traces?.takeLost() ?? 0;
    if (lost > 0) this.#context.metrics.count('pilotlight_traces_lost_total', {}, lost);
  }

  reconfigure(settings: Settings): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#gate.configure(settings.budget);
    this.#memory.configure(settings.budget.memory);
    this.#services.groups.configure(settings.services);
    const names = new Set(settings.services.map(({ name }) => name));
    // Cordons of removed services go out before the table that does not know them any more.
    for (const { name } of before.services) {
      if (!names.has(name))
        guarded(this.#context.logger, `removal of ${name}`, () => this.#services.byName.get(name)?.lifecycle.remove());
    }
    for (const service of settings.services) {
      guarded(this.#context.logger, `configuration of ${service.name}`, () => {
        const present = this.#services.byName.get(service.name);
        if (present === undefined) this.#add(service).lifecycle.onAdded();
        else present.update(service);
      });
    }
    // What the sources know already goes out with the routes that it is for.
    this.#discovery.follow(settings.services);
    this.#hub.publishTable();
    if (this.#phase === 'running') this.#catalog.putProxy(before);
  }

  table(): RoutingTable {
    return routingTable(this.#settings, this.#secret, this.#upstreamTls?.());
  }

  threshold(service: string): LatencyThreshold | null {
    return this.#services.known(service).threshold;
  }

  renewRegistrations(): void {
    this.#registrations.renew();
  }

  takeOver(): void {
    if (this.#handOver.takeOver()) this.#dropOrphans();
  }

  letGo(wake: (service: string) => void, signal: AbortSignal): Promise<void> {
    return this.#handOver.letGo(wake, signal);
  }

  knownEndpoints(): KnownEndpoints {
    return this.#registry.known();
  }

  resume(): void {
    this.#handOver.resume();
  }

  settled(signal: AbortSignal): Promise<void> {
    return this.#handOver.adopted(() => this.ready(), signal);
  }

  beginDrain(): void {
    if (this.#leave()) this.#context.events.emit('draining', null, 'draining: nothing new is accepted');
  }

  /** @returns whether it had not begun to leave before */
  #leave(): boolean {
    if (this.#phase === 'draining' || this.#phase === 'ended') return false;
    this.#phase = 'draining';
    if (this.#handOver.mayEnd) this.#catalog.dropProxy();
    return true;
  }

  async shutdown(signal: AbortSignal): Promise<void> {
    this.#leave();
    this.#tick?.cancel();
    // What came since they reported last is counted too.
    await this.#hub.collect(COLLECT_MS);
    const { mayEnd } = this.#handOver;
    const stopping = this.#services.all.filter(({ settings }) => mayEnd && settings.onExit === 'stop');
    for (const service of stopping)
      guarded(this.#context.logger, `stop of ${service.name}`, () => service.lifecycle.stopNow());
    await Promise.race([
      Promise.all([
        ...stopping.map(({ lifecycle }) => lifecycle.stopped()),
        this.#registrations.settled(DEREGISTER_MS),
      ]),
      aborted(signal),
    ]);
    this.#end();
  }

  async services(): Promise<ServiceStatus[]> {
    await this.#hub.collect(COLLECT_MS);
    return this.#services.all
      .map((service) => service.status())
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  async service(name: string): Promise<ServiceStatus> {
    const service = this.#services.known(name);
    await this.#hub.collect(COLLECT_MS);
    return service.status();
  }

  async endpoints(name: string): Promise<EndpointStatus[]> {
    const service = this.#services.known(name);
    await this.#hub.collect(COLLECT_MS);
    return service.endpoints();
  }

  async changeEndpoint(name: string, address: string, change: Partial<EndpointByHand>): Promise<EndpointStatus[]> {
    return changeEndpoint(this.#host, this.#services.known(name), address, change);
  }

  async output(name: string, lines: number): Promise<ReplicaOutput[]> {
    return this.#services.known(name).output(lines);
  }

  async why(name: string): Promise<ServiceWhy> {
    const { decisions, threshold, idling, floor } = this.#services.known(name);
    const { entries, heldBack } = decisions;
    return { service: name, decisions: entries, heldBack, threshold, idle: idling.why, schedule: floor.schedule };
  }

  async starts(name: string): Promise<StartRecord[]> {
    return [...this.#services.known(name).decisions.starts];
  }

  async sources(): Promise<SourceStatus[]> {
    return this.#discovery.status(this.#settings.services);
  }

  memory(): MemoryUse | null {
    return this.#memory.use ?? null;
  }

  async costs(since: number): Promise<Costs> {
    await this.#hub.collect(COLLECT_MS);
    const { prices } = this.#settings;
    const known = this.#services.all.filter(({ settings: { run } }) => run !== undefined);
    const disk = await this.#runtimes.disk(known.flatMap(({ settings: { run } }) => run ?? []));
    const services = known.flatMap((service, index) => service.costs(since, prices, disk[index] ?? null) ?? []);
    return {
      since: new Date(since).toISOString(),
      until: new Date(this.#context.clock.wall()).toISOString(),
      currency: prices.currency,
      services: services.sort((a, b) => (a.service < b.service ? -1 : 1)),
    };
  }

  async wake(name: string): Promise<ServiceStatus> {
    this.#services.known(name).byHand.wake();
    return this.service(name);
  }

  async sleep(name: string): Promise<ServiceStatus> {
    this.#services.known(name).byHand.sleep();
    return this.service(name);
  }

  async scale(name: string, replicas: number, dryRun: boolean): Promise<ScaleByHand> {
    return this.#services.known(name).byHand.scale(replicas, dryRun);
  }

  async freeze(name: string | null, forMs: number, reason: string | null, dryRun: boolean): Promise<ServiceStatus[]> {
    return this.#each(name, ({ byHand }) => byHand.freeze(forMs, reason, dryRun));
  }

  async unfreeze(name: string | null, dryRun: boolean): Promise<ServiceStatus[]> {
    return this.#each(name, ({ byHand }) => byHand.unfreeze(dryRun));
  }

  /** @param name null: all that can be started */
  #each(name: string | null, act: (service: ServiceController) => ServiceStatus): ServiceStatus[] {
    const runnable = () => this.#services.all.filter(({ settings }) => settings.run !== undefined);
    return (name === null ? runnable() : [this.#services.known(name)]).map(act);
  }

  ready(): boolean {
    if (this.#phase !== 'running' || this.#hub.edges.length === 0) return false;
    if (!this.#discovery.hasAnswered) return false;
    // Whoever hears it may send requests at once: the edges know the first answers before.
    this.#registry.flush();
    return true;
  }

  awaited(): string | undefined {
    return this.#phase === 'running' ? this.#discovery.awaited : undefined;
  }

  async collect(): Promise<void> {
    await this.#hub.collect(COLLECT_MS);
    this.#context.metrics.gauge('pilotlight_connections', {}, this.#hub.connections);
    gaugeMemory(this.#context.metrics, this.#memory.use);
    this.#services.each((service) => service.gauge());
    this.#discovery.gauge(this.#settings.services);
  }

  subscribe(sink: EventSink): () => void {
    return this.#events.subscribe(sink);
  }

  // Services

  #add(settings: ServiceSettings): ServiceController {
    const service = new ServiceController(settings, this.#host);
    this.#services.byName.set(settings.name, service);
    return service;
  }

  /** A removed service has nothing left that runs. */
  #forget(name: string): void {
    const service = this.#services.byName.get(name);
    if (service === undefined || this.#phase === 'draining' || this.#phase === 'ended') return;
    const { run } = service.lifecycle;
    service.close();
    this.#services.byName.delete(name);
    this.#registry.remove(name);
    this.#prewarm.forget(name);
    this.#host.learnt.drop(name);
    this.#host.idleLearnt.drop(name);
    this.#host.costs.drop(name);
    this.#host.byHand.putCount(name, undefined);
    this.#host.wakeShares.drop(name);
    this.#context.metrics.forget(name);
    if (run !== undefined) this.#runtimes.clean(run, name);
  }

  /** Takes out of the catalogue what an earlier run left behind. */
  #dropOrphans(): void {
    this.#catalog.dropOrphans(() => this.#services.all.flatMap(({ lifecycle }) => lifecycle.set.replicas));
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#tick?.cancel();
    this.#handOver.close();
    this.#life.abort(new PilotlightError('CANCELLED', 'the control plane has ended'));
    this.#gate.close();
    this.#memory.close();
    this.#registry.close();
    for (const service of this.#services.all) service.close();
  }
}
