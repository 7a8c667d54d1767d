import type { Uses } from '../schema/parts.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** What several proxies that act as one need: a lock, and runtimes that every one of them reaches. */
export function checkCluster({ sections, services }: Parsed, uses: Uses, report: Report): void {
  const { cluster, consul, docker } = sections;
  if (cluster?.name === undefined || report.broken(['cluster'])) return;
  const problem = (key: string, message: string) => report.problem([['cluster', key], ['cluster']], message);
  if (cluster.advertise === undefined) problem('advertise', 'needs advertise: where the other members reach this one');
  if (cluster.secret === undefined) problem('secret', 'needs secret: what its members know each other by');
  if (!cluster.consul) problem('consul', 'expected true: the lock of the leader is in Consul');
  if (!uses.consul) problem('consul', 'needs the section consul, where the lock of the leader is');
  if (consul !== undefined && consul.register !== false && !report.broken(['consul'])) {
    report.problem([['consul', 'register']], 'does not go with cluster: whoever leads would be all that is listed');
  }
  if (sections.declare?.sources['docker'] !== undefined) {
    report.problem([['declare', 'docker']], 'does not go with cluster: other members have other containers');
  }
  const isShared = docker?.socket?.startsWith('tcp://') ?? false;
  for (const [name, { run, onExit }] of services) {
    const path = ['services', name];
    if (run?.process !== undefined) {
      report.problem(
        [[...path, 'run', 'process']],
        'does not go with cluster: other members cannot reach it; use swarm',
      );
    }
    if (run?.docker !== undefined && !isShared) {
      const message =
        'does not go with cluster unless docker.socket is tcp://host:port, which every member reaches; use swarm';
      report.problem([[...path, 'run', 'docker']], message);
    }
    if (onExit === 'stop') {
      report.problem([[...path, 'onExit']], 'stop does not go with cluster: the other members go on with the replicas');
    }
  }
}
