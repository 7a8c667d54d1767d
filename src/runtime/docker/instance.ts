import type Docker from 'dockerode';
import type { Instance } from '../../model/runtime.ts';
import { addressOf, type Reach } from './address.ts';
import type { Owner } from './container.ts';

/** What an inspected container means to us. */
export function instanceOf(info: Docker.ContainerInspectInfo, owner: Owner, reach: Reach): Instance {
  const state = stateOf(info);
  const { StartedAt, ExitCode, OOMKilled, Health } = info.State;
  const started = Date.parse(StartedAt);
  return {
    id: info.Id,
    service: owner.service,
    ordinal: owner.ordinal,
    hash: owner.hash,
    state,
    address: state === 'running' || state === 'paused' ? addressOf(info, owner.port, reach) : undefined,
    // A container that never ran has started in the year 1.
    startedAt: started > 0 ? started : 0,
    health: healthOf(Health?.Status),
    exitCode: state === 'stopped' ? ExitCode : undefined,
    outOfMemory: state === 'stopped' && OOMKilled && ExitCode !== 0 ? 'yes' : undefined,
  };
}

/** While the engine waits to restart a container it calls it running; nothing runs then. */
export function stateOf({ State }: Docker.ContainerInspectInfo): Instance['state'] {
  if (State.Paused) return 'paused';
  if (State.Running && !State.Restarting) return 'running';
  return State.Status === 'created' ? 'created' : 'stopped';
}

function healthOf(status: string | undefined): Instance['health'] {
  return status === 'starting' || status === 'healthy' || status === 'unhealthy' ? status : 'none';
}
