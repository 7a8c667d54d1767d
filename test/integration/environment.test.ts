import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { ConsulAgent } from '../support/consul-agent.ts';
import { containerExit, containerLogs, dockerApi, startContainer, TEST_LABEL } from '../support/docker-api.ts';
import { buildAppImage } from '../support/images.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const socket = inject('dockerSocket');
const docker = dockerApi(socket);
const labels = { [TEST_LABEL]: inject('dockerRun') };

test('a real Docker engine answers', async () => {
  expect(await docker('GET', '/_ping')).toMatchObject({ status: 200, text: 'OK' });
});

test('a container of an app image runs the Node of the tests and ends with its exit code', async () => {
  const tag = await buildAppImage(docker, {
    tag: 'pilotlight-test/environment:1',
    files: { '/app/environment.test.ts': import.meta.filename },
    cmd: ['node', '-e', 'console.log(process.version, process.env.GREETING); process.exitCode = 7'],
    env: { GREETING: 'hello from "inside" $HOME' },
  });
  const id = await startContainer(docker, { Image: tag, Labels: labels });
  expect(await containerExit(docker, id)).toBe(7);
  expect(await containerLogs(socket, id)).toBe(`${process.version} hello from "inside" $HOME\n`);
});

test('an app is reached at its published port and at its own address, and its health check runs', async () => {
  const tag = await buildAppImage(docker, {
    tag: 'pilotlight-test/environment-server:1',
    files: {},
    cmd: ['node', '-e', "require('node:http').createServer((_, out) => out.end('here')).listen(8080)"],
    healthcheck: { test: ['node', '-e', "fetch('http://127.0.0.1:8080')"], interval: '200ms' },
    exposed: [8080],
  });
  const HostConfig = { PublishAllPorts: true };
  const id = await startContainer(docker, { Image: tag, Labels: labels, HostConfig });
  // Its health checks would go on as long as the tests do.
  onTestFinished(async () => void (await docker('DELETE', `/containers/${id}?force=true`)));
  const { NetworkSettings } = (await docker<Inspected>('GET', `/containers/${id}/json`)).json;
  const addresses = [
    `127.0.0.1:${NetworkSettings.Ports['8080/tcp']?.[0]?.HostPort}`,
    `${NetworkSettings.Networks['bridge']?.IPAddress}:8080`,
  ];
  for (const address of addresses) {
    await until(`the app answers at ${address}`, () => answers(`http://${address}/`, 'here'));
  }
  await until('the container is healthy', async () => {
    const { State } = (await docker<Inspected>('GET', `/containers/${id}/json`)).json;
    return State.Health.Status === 'healthy';
  });
});

interface Inspected {
  State: { Health: { Status: string } };
  NetworkSettings: {
    Ports: Record<string, { HostPort: string }[]>;
    Networks: Record<string, { IPAddress: string }>;
  };
}

async function answers(url: string, expected: string): Promise<boolean> {
  try {
    return (await (await fetch(url, { signal: AbortSignal.timeout(1_000) })).text()) === expected;
  } catch {
    return false;
  }
}

test('a real Consul agent leads', async () => {
  const answer = await fetch(`${inject('consulAddress')}/v1/status/leader`);
  expect(await answer.json()).toMatch(/^127\.0\.0\.1:\d+$/);
});

test('a restarted Consul agent comes back at its address without what it knew', async () => {
  const agent = await ConsulAgent.start(inject('consulBinary'));
  try {
    const key = `${agent.address}/v1/kv/remember`;
    expect((await fetch(key, { method: 'PUT', body: 'me' })).status).toBe(200);
    expect((await fetch(key)).status).toBe(200);
    await agent.restart();
    expect((await fetch(key)).status).toBe(404);
  } finally {
    await agent.stop();
  }
});
