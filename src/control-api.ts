import type { Control } from './control/control.ts';
import type { ControlApi } from './model/status.ts';

/** What the admin API may ask of a proxy: its control plane, with what only the whole proxy knows. */
export function controlApi(control: Control, own: Pick<ControlApi, 'ready' | 'subscribe'>): ControlApi {
  return {
    services: () => control.services(),
    service: (name) => control.service(name),
    endpoints: (name) => control.endpoints(name),
    changeEndpoint: (name, address, change) => control.changeEndpoint(name, address, change),
    output: (name, lines) => control.output(name, lines),
    why: (name) => control.why(name),
    starts: (name) => control.starts(name),
    costs: (since) => control.costs(since),
    sources: () => control.sources(),
    memory: () => control.memory(),
    cluster: async () => (await control.cluster?.()) ?? null,
    wake: (name) => control.wake(name),
    sleep: (name) => control.sleep(name),
    freeze: (name, forMs, reason, dryRun) => control.freeze(name, forMs, reason, dryRun),
    unfreeze: (name, dryRun) => control.unfreeze(name, dryRun),
    scale: (name, replicas, dryRun) => control.scale(name, replicas, dryRun),
    collect: () => control.collect(),
    awaited: () => control.awaited?.(),
    ...own,
  };
}
