import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import type Docker from 'dockerode';
import { expect, onTestFinished, test } from 'vitest';
import type { Instance } from '../../../src/model/runtime.ts';
import { PortListeners } from '../../../src/runtime/docker/port-listeners.ts';

test.runIf(process.platform === 'linux')(
  'a container is at its port for as long as what listened at its start does, and has ended with its first process',
  async () => {
    const child = spawn('sleep', ['60'], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child, 'spawn');
    const proxy = createServer().listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const address = { host: '127.0.0.1', port: (proxy.address() as AddressInfo).port };
    // Its control group is named after it.
    const Id = readFileSync(`/proc/${child.pid}/cgroup`, 'utf8').trim();
    const [HostConfig, NetworkSettings] = [{ NetworkMode: 'bridge' }, { Networks: {} }];
    const info = { Id, HostConfig, NetworkSettings, State: { Pid: child.pid } };
    const ports = new PortListeners();
    expect(ports.at(Id, address)).toBeUndefined();
    ports.note(info as Docker.ContainerInspectInfo, { state: 'running', address, startedAt: 1 } as Instance);
    expect(ports.at(Id, address)).toEqual({ by: 'replica' });
    proxy.close();
    await once(proxy, 'close');
    expect(ports.at(Id, address)).toEqual({ by: 'nobody' });
    expect(ports.hasEnded(Id)).toBe(false);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(ports.hasEnded(Id)).toBe(true);
    expect(ports.at(Id, address)).toEqual({ by: 'ended' });
    ports.forget(Id);
    expect(ports.hasEnded(Id)).toBe(false);
  },
);
