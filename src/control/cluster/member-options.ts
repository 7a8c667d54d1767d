import type { LeaderLock } from '../../model/cluster.ts';
import type { ClusterSettings } from '../../model/cluster-settings.ts';
import type { Logger, Metrics } from '../../model/observe.ts';
import type { RoutingTable } from '../../model/snapshot.ts';
import type { Clock } from '../../util/clock.ts';
import type { ClusterSecrets } from './cluster-secrets.ts';
import type { OpenPlane } from './term.ts';
import type { ClusterWire } from './wire/cluster-wire.ts';

/** What a member of a cluster is made of. */
export interface MemberOptions {
  cluster: ClusterSettings;
  /** This member's name, unique in the cluster. */
  self: string;
  lock: LeaderLock;
  wire: ClusterWire;
  /** Builds the control plane of one term, by the settings that are in force. */
  open: OpenPlane;
  /** What the leader sees to beside the control plane. */
  secrets?: Pick<ClusterSecrets, 'lead' | 'resign' | 'answer' | 'leader'>;
  /** What edges are told of the configuration. */
  table: () => RoutingTable;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}
