import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type Docker from 'dockerode';
import type { HostPort } from '../../model/settings.ts';
import type { EngineAddress } from '../engine.ts';
import { portKey } from './container.ts';
import type { DockerSettings } from './settings.ts';

/** How containers are reached from here. */
export interface Reach {
  mode: DockerSettings['reach'];
  engine: EngineAddress;
}

/**
 * Where a running container listens, as seen from here; undefined when it cannot be reached.
 *
 * `container`: its address on its first network. `host`: its published port. `auto`: the first of its addresses that
 * lies in a network of ours (its bridge is on this machine, or we are a container in the same network), else its
 * published port.
 */
export function addressOf(info: Docker.ContainerInspectInfo, port: number, reach: Reach): HostPort | undefined {
  const own = { host: '127.0.0.1', port };
  if (info.HostConfig.NetworkMode === 'host') return own;
  const addresses = networkAddresses(info);
  const direct = reach.mode === 'auto' ? addresses.find((host) => isNeighbour(host, reach)) : addresses[0];
  if (reach.mode !== 'host' && direct !== undefined) return { host: direct, port };
  return reach.mode === 'container' ? undefined : publishedAddress(info, port, reach.engine);
}

/** Whether the port is bound to one of the host, or is to be at the start. */
export function isPublished(info: Docker.ContainerInspectInfo, port: number): boolean {
  const bindings: unknown[] | undefined = info.HostConfig.PortBindings?.[portKey(port)];
  if (bindings !== undefined && bindings.length > 0) return true;
  return info.HostConfig.PublishAllPorts === true && portKey(port) in (info.Config.ExposedPorts ?? {});
}

/** Whether a network (`10.1.0.0/16`) is one of ours, so that its containers can be dialled. */
export function isOwnNetwork(subnet: string, reach: Reach): boolean {
  const [base = '', bits = ''] = subnet.split('/');
  const list = new BlockList();
  if (!isLocal(reach) || isIP(base) === 0) return false;
  list.addSubnet(base, Number(bits), family(base));
  return ownAddresses().some(({ address }) => list.check(address, family(address)));
}

/** Only the networks of an engine on this machine can be ours: others merely use the same private addresses. */
function isLocal({ engine }: Reach): boolean {
  return engine.kind === 'unix' && process.platform === 'linux';
}

function isNeighbour(host: string, reach: Reach): boolean {
  if (!isLocal(reach)) return false;
  const list = new BlockList();
  for (const { address, bits } of ownAddresses()) list.addSubnet(address, bits, family(address));
  return list.check(host, family(host));
}

function ownAddresses(): { address: string; bits: number }[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.flatMap(({ address, internal, cidr }) =>
    internal || cidr === null ? [] : { address, bits: Number(cidr.split('/')[1]) },
  );
}

/** The container's own addresses, those of the network it was created in first. */
function networkAddresses(info: Docker.ContainerInspectInfo): string[] {
  const networks = Object.entries(info.NetworkSettings.Networks ?? {});
  const mode = info.HostConfig.NetworkMode ?? 'default';
  const first = mode === 'default' ? 'bridge' : mode;
  const isFirst = ([name, { NetworkID }]: (typeof networks)[number]) => name === first || NetworkID === first;
  const ordered = [...networks.filter(isFirst), ...networks.filter((network) => !isFirst(network))];
  return ordered
    .map(([, network]) => network.IPAddress || network.GlobalIPv6Address)
    .filter((address) => isIP(address) !== 0);
}

function publishedAddress(
  info: Docker.ContainerInspectInfo,
  port: number,
  engine: EngineAddress,
): HostPort | undefined {
  const bindings = info.NetworkSettings.Ports?.[portKey(port)] ?? [];
  const binding = bindings.find(({ HostIp }) => isIP(HostIp) !== 6) ?? bindings[0];
  if (binding === undefined) return undefined;
  return { host: dialled(binding.HostIp, engine), port: Number(binding.HostPort) };
}

/** All addresses of the engine's machine mean, from that machine, its loopback. */
function dialled(hostIp: string, engine: EngineAddress): string {
  if (hostIp !== '' && hostIp !== '0.0.0.0' && hostIp !== '::') return hostIp;
  if (engine.kind === 'tcp') return engine.host;
  return hostIp === '::' ? '::1' : '127.0.0.1';
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
