import type { Settings } from '../model/settings.ts';
import type { Advertiser } from './advertiser.ts';
import type { ControlContext } from './context.ts';
import type { DiscoveryDesk } from './discovery-desk.ts';
import type { LinkHub } from './link-hub.ts';
import type { Registry } from './registry.ts';
import type { RuntimeDesk } from './runtime-desk.ts';
import type { Standby } from './standby.ts';
import type { StartGate } from './start-gate.ts';

/** What the services share. */
export interface ServiceHost {
  context: ControlContext;
  gate: StartGate;
  hub: LinkHub;
  registry: Registry;
  advertiser: Advertiser;
  standby: Standby;
  settings: () => Settings;
  runtimes: RuntimeDesk;
  discovery: DiscoveryDesk;
  /** The proxy is about to end, or has not taken over yet: starts only for requests that wait, and no retires. */
  isDraining: () => boolean;
  /** Whether replicas may be started: not once a successor does. */
  mayStart: () => boolean;
  /** Whether replicas may be retired or stopped: not while another process uses them too. */
  mayEnd: () => boolean;
  /** An edge did not acknowledge a cordon in time. @returns whether it is ended for that, and will detach */
  onUnresponsive: (edge: string) => boolean;
  /** A removed service has nothing left that runs. */
  onGone: (service: string) => void;
}
