import { routingTable } from '../../control/link/routing-table.ts';
import type { ControlMessage, EdgeMessage } from '../../model/link.ts';
import type { Settings } from '../../model/settings.ts';
import type { ChannelEnd } from '../../util/channel.ts';
import type { VirtualClock } from '../../util/virtual-clock.ts';
import { LOAD_BEGINS_MS } from '../outcome.ts';
import type { Rival } from '../policy.ts';
import type { Conductor } from './conductor.ts';
import type { Fleet } from './fleet.ts';
import { RivalService } from './rival-service.ts';

/** A control plane that does nothing but to carry out what a rival decides once the load has begun. */
export function rivalControl(
  rival: Rival,
  settings: Settings,
  clock: VirtualClock,
  fleet: Fleet,
  link: ChannelEnd<EdgeMessage, ControlMessage>,
): Conductor {
  const life = new AbortController();
  const { signal } = life;
  const runtime = fleet.runtime(rival.name);
  let version = 0;
  const context = {
    rival,
    runtime,
    signal,
    now: () => clock.now(),
    wall: () => clock.wall(),
    hasRoom: () => [...services.values()].reduce((sum, { size }) => sum + size, 0) < settings.budget.replicas,
    publish: (state: Extract<ControlMessage, { type: 'service' }>['state']) =>
      link.post({ type: 'service', version: ++version, state }),
    probe: (service: string, endpoint: string, port: number) => {
      const check = { kind: 'connect' as const };
      const at = { service, endpoint, host: '127.0.0.1', port, check };
      link.post({ type: 'probe', probe: endpoint, ...at, timeoutMs: 3_600_000 });
    },
  };
  const services = new Map<string, RivalService>();
  for (const each of settings.services) services.set(each.name, new RivalService(each, context));

  link.onMessage((message) => {
    if (message.type === 'report') {
      for (const report of message.services) services.get(report.service)?.hear(message.spanMs, report);
    } else if (message.type === 'drained') {
      services.get(message.service)?.onDrained(message.endpoint);
    } else if (message.type === 'probed' && message.ok) {
      for (const service of services.values()) service.onProbed(message.probe);
    }
  });
  return {
    async start() {
      link.post({ type: 'table', version: ++version, table: routingTable(settings, ''), states: [] });
      const running = await runtime.list([], signal);
      for (const [name, service] of services) {
        const own = running.filter((each) => each.service === name);
        service.begin(own.map(({ id, ordinal, address }) => ({ id, ordinal, port: address?.port ?? 0 })));
      }
      runtime.watch((event) => {
        if (event.type !== 'exited') return;
        services.get(event.service)?.onExited(event.id);
        for (const service of services.values()) service.reconcile();
      }, signal);
      clock.every(rival.everyMs, () => {
        if (clock.wall() >= LOAD_BEGINS_MS) for (const service of services.values()) service.decide();
      });
    },
    decisions: async (service) => services.get(service)?.decisions ?? [],
    aboveMs: (service) => services.get(service)?.aboveMs ?? Number.POSITIVE_INFINITY,
    end: () => life.abort(),
  };
}
