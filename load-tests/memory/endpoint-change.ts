import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseConfig } from '../../src/config/load/parse.ts';
import { createControl } from '../../src/control/create-control.ts';
import { createEdge } from '../../src/edge/edge.ts';
import type { DiscoverySource, EndpointSet } from '../../src/model/discovery.ts';
import type { ControlMessage, EdgeMessage } from '../../src/model/link.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { Settings } from '../../src/model/settings.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { createChannel } from '../../src/util/channel.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import { median } from '../support/process.ts';

interface ChangeCost {
  /** Work from the source's word until the edge has it, ms. */
  median: number;
  max: number;
  /** Memory allocated per change, KiB, median. */
  allocatedKiB: number;
}

const CHANGES = 200;
/** Changes gather for this long before they are sent, which is no work: it is left out. Ms. */
const COALESCE_MS = 50;
/** Changes before the first that is counted, for the compiler. */
const WARM_UP = 100;

/**
 * Both planes in this process, as `workers: 1` has them, with so many routed services; a source says new endpoints of
 * one of them again and again.
 */
export async function measureEndpointChange(services: number): Promise<ChangeCost> {
  const abort = new AbortController();
  let emit: (set: EndpointSet) => void = () => undefined;
  const source: DiscoverySource = {
    name: 'consul',
    title: 'Consul',
    follow: () => undefined,
    run: (to) => {
      emit = to;
    },
    answered: () => true,
    staleness: () => 0,
  };
  const common = { clock: hastyClock, logger: silentLogger };
  const settings = settingsOf(services);
  const metrics = createMetrics();
  const control = createControl({ ...common, settings, metrics, runtimes: [], sources: [source], instance: 'load' });
  const [edgeEnd, controlEnd] = createChannel<ControlMessage, EdgeMessage>();
  let appliedAt = 0;
  const timed: typeof edgeEnd = {
    post: (message) => edgeEnd.post(message),
    onMessage: (listener) =>
      edgeEnd.onMessage((message) => {
        listener(message);
        if (message.type === 'service') appliedAt = performance.now();
      }),
    onClose: (listener) => edgeEnd.onClose(listener),
    close: () => edgeEnd.close(),
  };
  const edge = createEdge({ ...common, link: timed });
  control.attach('edge', controlEnd);
  await control.start(abort.signal);
  await nextTurn();

  const [took, allocated]: [number[], number[]] = [[], []];
  for (let change = 0; change < WARM_UP + CHANGES; change++) {
    const set = endpointsOf(`service-${services >> 1}`, change);
    appliedAt = 0;
    const heapBefore = process.memoryUsage().heapUsed;
    const from = performance.now();
    emit(set);
    while (appliedAt === 0) await nextTurn();
    if (change < WARM_UP) continue;
    took.push(appliedAt - from);
    allocated.push((process.memoryUsage().heapUsed - heapBefore) / 1024);
  }
  await edge.close();
  abort.abort();
  await control.shutdown(AbortSignal.timeout(1000));
  return { median: median(took), max: Math.max(...took), allocatedKiB: median(allocated) };
}

/** Real time, but nobody waits as long as changes gather, and nothing happens each second. */
const hastyClock: Clock = {
  now: () => systemClock.now(),
  wall: () => systemClock.wall(),
  after(ms, fn) {
    if (ms > COALESCE_MS) return systemClock.after(ms, fn);
    const handle = setImmediate(fn);
    return { cancel: () => clearImmediate(handle) };
  },
  every: () => ({ cancel: () => undefined }),
};

function endpointsOf(service: string, change: number): EndpointSet {
  const endpoints = [0, 1, 2].map((index) => ({ host: '127.0.0.1', port: 20_000 + change + index, weight: 1 }));
  return { service, source: 'consul', endpoints };
}

function settingsOf(count: number): Settings {
  const services = Array.from({ length: count }, (_, index) => {
    const name = `service-${index}`;
    return [name, { routes: [{ host: `${name}.test` }], endpoints: { consul: { service: name } } }] as const;
  });
  const config = { listen: [{ address: '127.0.0.1:0' }], consul: {}, services: Object.fromEntries(services) };
  const loaded = parseConfig(JSON.stringify(config), 'services.json', {});
  if (!loaded.ok) throw new Error(`the configuration is refused: ${loaded.problems[0]?.message}`);
  return loaded.settings;
}
