/** An edge with its access log and its traces: what a worker process has, and the process of the control plane where it serves alone. */
import { createEdge, type Edge, type EdgeOptions } from './edge/edge.ts';
import type { ControlMessage, EdgeMessage } from './model/link.ts';
import type { Logger } from './model/observe.ts';
import type { AccessLogSettings } from './model/settings.ts';
import type { Traces } from './model/traces.ts';
import { openAccessLog } from './observe/access-log.ts';
import type { ChannelEnd } from './util/channel.ts';
import type { Clock } from './util/clock.ts';
import { descriptorLimit } from './util/descriptors.ts';

interface LoggedEdgeOptions {
  link: ChannelEnd<ControlMessage, EdgeMessage>;
  /** Undefined: none is written. `shared`: other processes write to it as well. */
  accessLog: (AccessLogSettings & { shared?: boolean }) | undefined;
  /** Undefined: nothing is traced. */
  traces: Traces | undefined;
  clock: Clock;
  logger: Logger;
  /** See `EdgeOptions.bind`. */
  bind?: EdgeOptions['bind'];
}

interface LoggedEdge extends Pick<Edge, 'sockets' | 'listen' | 'drain' | 'close'> {
  /** Opens the access log anew. */
  reopenLog(): Promise<void>;
}

export async function createLoggedEdge({
  link,
  accessLog,
  traces,
  clock,
  logger,
  bind,
}: LoggedEdgeOptions): Promise<LoggedEdge> {
  const access = accessLog && (await openAccessLog(accessLog, clock, logger));
  const descriptors = descriptorLimit();
  const edge = createEdge({ link, clock, logger, descriptors, bind, access, traces });
  return {
    get sockets() {
      return edge.sockets;
    },
    listen: (listeners, inherited) => edge.listen(listeners, inherited),
    drain: (deadlineMs, handOver) => edge.drain(deadlineMs, handOver),
    reopenLog: async () => access?.reopen(),
    async close() {
      await edge.close();
      await access?.close();
    },
  };
}
