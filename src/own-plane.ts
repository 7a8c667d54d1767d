import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Control } from './control/control.ts';
import { createLoggedEdge } from './logged-edge.ts';
import type { ControlMessage, EdgeMessage } from './model/link.ts';
import type { Logger } from './model/observe.ts';
import type { HostPort, Settings } from './model/settings.ts';
import type { Traces } from './model/traces.ts';
import { createChannel } from './util/channel.ts';
import { systemClock } from './util/clock.ts';
import { bindSockets, SOCKETS_PER_PROCESS } from './workers/bound-sockets.ts';
import type { DataPlane } from './workers/data-plane.ts';

/** One edge, in this process. */
export async function ownPlane(
  accessLog: Settings['accessLog'],
  traces: Traces | undefined,
  attach: Control['attach'],
  logger: Logger,
): Promise<DataPlane> {
  const [link, controlEnd] = createChannel<ControlMessage, EdgeMessage>();
  const bind = (address: HostPort) => bindSockets(address, SOCKETS_PER_PROCESS);
  const edge = await createLoggedEdge({ link, accessLog, traces, clock: systemClock, logger, bind });
  const begin = async () => {
    attach('edge-1', controlEnd);
    // The edge gets its first routes in a turn of its own, and takes no request before it has them.
    await nextTurn();
  };
  return Object.assign(edge, { begin, setLogLevel: () => undefined });
}
