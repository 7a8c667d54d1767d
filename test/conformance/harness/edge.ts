import { createEdge } from '../../../src/edge/edge.ts';
import type { ControlMessage, EdgeMessage } from '../../../src/model/link.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import type { EndpointView, RouteView, ServicePolicy } from '../../../src/model/snapshot.ts';
import { createChannel } from '../../../src/util/channel.ts';
import type { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { type ListenChange, listenSettings } from '../../support/listen-settings.ts';
import { CountingClock } from './counting-clock.ts';

export interface EdgeSettings extends ListenChange {
  /** Ports of the origins of service `main`, to which every host and path leads by default. */
  origins: number[];
  /** More services, by name. */
  services?: Record<string, number[]>;
  routes?: RouteView[];
  trustedProxies?: string[];
  policy?: Partial<ServicePolicy>;
  serviceTimeouts?: Partial<ServicePolicy['timeouts']>;
  /** Real time where it is absent. */
  clock?: VirtualClock;
}

/** The real data plane in this process, told by a control plane that only ever says this. */
export interface RunningEdge {
  port: number;
  /** Timers of the edge that wait. */
  timers(): number;
  /** Client connections that are open, as the edge itself counts. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

export async function startEdge(settings: EdgeSettings): Promise<RunningEdge> {
  const [control, link] = createChannel<EdgeMessage, ControlMessage>();
  const clock = settings.clock ?? new CountingClock();
  const edge = createEdge({ link, clock, logger: silentLogger });
  const waiting: ((connections: number) => void)[] = [];
  control.onMessage((message) => {
    if (message.type === 'report' && message.collect !== null) waiting.shift()?.(message.connections);
  });
  control.post(tableOf(settings));
  const [address] = await edge.listen([listenSettings(settings)]);
  if (address === undefined) throw new Error('the edge does not listen');
  return {
    port: address.port,
    timers: () => clock.pending,
    connections: () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        control.post({ type: 'collect', collect: 1 });
      }),
    close: () => edge.close(),
  };
}

function tableOf(settings: EdgeSettings): ControlMessage {
  const services = { main: settings.origins, ...settings.services };
  return {
    type: 'table',
    version: 1,
    table: {
      routes: settings.routes ?? [{ host: undefined, path: '/', service: 'main' }],
      services: Object.keys(services).map((name) => policyOf(name, settings)),
      trustedProxies: settings.trustedProxies ?? [],
      heldBytes: 64 * 1024 * 1024,
    },
    states: Object.entries(services).map(([service, ports]) => ({
      service,
      endpoints: ports.map(endpointAt),
      holdTimeoutMs: 30_000,
      starting: false,
      inFlightLimit: null,
      expectedStartMs: null,
      blocked: null,
      failures: 0,
    })),
  };
}

function endpointAt(port: number): EndpointView {
  return { id: `replica-${port}`, host: '127.0.0.1', port, state: 'ready', weight: 1, start: null };
}

/** A service that is only routed to, with the default of everything else. */
function policyOf(name: string, { policy, serviceTimeouts }: EdgeSettings): ServicePolicy {
  return {
    name,
    wakeable: false,
    hold: { max: 1000, maxBytes: 16 * 1024 * 1024, perClient: 0, timeoutMs: 30_000, page: 'off' },
    concurrency: 0,
    shed: [503],
    balance: 'least-request',
    hashOn: { kind: 'client' },
    slowStartMs: 0,
    limits: { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 },
    timeouts: {
      // Far from what a loopback takes, also where this process stood still meanwhile.
      connectMs: 20_000,
      firstByteMs: 60_000,
      streamMs: 300_000,
      tunnelMs: 3_600_000,
      drainMs: 30_000,
      ...serviceTimeouts,
    },
    retries: { max: 1, budget: 0.1, idempotent: false },
    wake: [],
    upstreamHost: undefined,
    engine: 'native',
    allowHalfOpen: false,
    ...policy,
  };
}
