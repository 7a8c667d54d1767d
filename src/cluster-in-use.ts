/** A proxy as one of several that act as one: whose control plane it is, and where the lock for that is. */
import { hkdfSync } from 'node:crypto';
import { versionText } from './cli/help.ts';
import { ClusterSecrets } from './control/cluster/cluster-secrets.ts';
import { fencedRuntime } from './control/cluster/fence.ts';
import { createMember } from './control/cluster/member.ts';
import { SharedState } from './control/cluster/shared-state.ts';
import { createClusterWire } from './control/cluster/wire/cluster-wire.ts';
import { routingTable } from './control/link/routing-table.ts';
import { type ControlPlane, openControlPlane, type PlaneOptions } from './control-plane.ts';
import type { LeaderLock, SharedValues } from './model/cluster.ts';
import type { ClusterSettings } from './model/cluster-settings.ts';
import type { DiscoverySource } from './model/discovery.ts';
import type { HostPort, Settings } from './model/settings.ts';
import type { SharedSecrets } from './model/shared-secrets.ts';
import { hostPort } from './util/host-port.ts';

interface ClusterOptions {
  cluster: ClusterSettings;
  /** Of this process's control planes, apart from what each has anew. */
  planeOptions: Omit<PlaneOptions, 'sources' | 'settings' | 'registrar' | 'mayAct'>;
  /** What is in force now. */
  settings: () => Settings;
  /** Sources for one control plane. */
  openSources: () => DiscoverySource[];
  openLock: (cluster: ClusterSettings, self: { member: string; address: HostPort }) => LeaderLock;
  openValues: (cluster: ClusterSettings) => SharedValues;
}

/** What members have in common. */
interface ClusterPlane extends ControlPlane {
  secrets: SharedSecrets;
}

/** What this proxy is called, and under what it makes values that clients keep: the same at all members. */
export function sharedIdentity({ name, secret }: ClusterSettings): { instance: string; secret: string } {
  const derive = (what: string, length: number) =>
    Buffer.from(hkdfSync('sha256', secret, name, `pilotlight cluster ${what}`, length)).toString('hex');
  return { instance: derive('instance', 4), secret: derive('values for clients', 32) };
}

/** The control plane of a member: its own while it leads, else that of whoever does. */
export function joinCluster(options: ClusterOptions): ClusterPlane {
  const { cluster, planeOptions, settings, openSources, openLock, openValues } = options;
  const { clock, logger, metrics } = planeOptions;
  const self = hostPort(cluster.advertise);
  const wire = createClusterWire({
    clock,
    logger,
    cluster: cluster.name,
    secret: cluster.secret,
    member: self,
    advertise: cluster.advertise,
    build: versionText(),
    leaseMs: cluster.leaseMs,
  });
  const secrets = new ClusterSecrets({
    clock,
    logger,
    cluster: cluster.name,
    secret: cluster.secret,
    self,
    values: openValues(cluster),
    calls: wire.calls,
  });
  // Also while its control plane is built or ends: its files are its own then.
  let leads = false;
  const control = createMember({
    cluster,
    self,
    lock: openLock(cluster, { member: self, address: cluster.advertise }),
    wire,
    secrets,
    table: () => routingTable(settings(), planeOptions.secret ?? '', planeOptions.upstreamTls?.()),
    clock,
    logger,
    metrics,
    open: async (fence, edgesKnown) => {
      await shared.kept();
      leads = true;
      const runtimes = planeOptions.runtimes.map((runtime) => fencedRuntime(runtime, fence));
      const mayAct = () => fence.holds;
      const names = new Set<string>();
      const build = async (): Promise<ControlPlane> => {
        const used = settings();
        const built = await openControlPlane({
          ...planeOptions,
          settings: used,
          sources: openSources(),
          runtimes,
          mayAct,
          edgesKnown,
          onSetByHand: () => void shared.lookAtSettings(),
        });
        if (settings() === used) return built;
        // A reload while it was built had nobody to tell.
        await built.release();
        return build();
      };
      const opened = await build();
      for (const { name } of settings().services) names.add(name);
      const release = async () => {
        await opened.release();
        leads = false;
        for (const { name } of settings().services) names.add(name);
        // What is said of services is the next leader's to say.
        for (const name of names) metrics.forget(name);
      };
      const share = async () => {
        await opened.release();
        await shared.sent();
      };
      return { control: opened.control, share, release };
    },
  });
  const shared = new SharedState({
    files: wire.files,
    folder: planeOptions.folder,
    leads: () => leads,
    clock,
    logger,
  });
  return { control, secrets, release: async () => shared.close(), resume: () => shared.begin() };
}
