import { afterEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/model/observe.ts';
import type { Runtime, RuntimeEvent } from '../../../src/model/runtime.ts';
import type { Task } from '../../../src/runtime/swarm/api.ts';
import type { Presence } from '../../../src/runtime/swarm/presence.ts';
import { createSwarmRuntime } from '../../../src/runtime/swarm/runtime.ts';
import { serviceSpec } from '../../../src/runtime/swarm/service-spec.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { until } from '../../support/until.ts';
import { type EngineAnswer, type EngineRequest, FakeEngine } from '../docker/fake-engine.ts';
import { never, specOf, swarmRunOf, taskOf } from './tasks.ts';

const run = swarmRunOf();
const spec = specOf(run);

/** A manager of one host, and of one service at most, whose tasks are what a test makes them. */
class FakeManager {
  tasks: Task[] = [];
  service: { replicas: 0 | 1; force: number } | undefined = { replicas: 1, force: 0 };
  node = { Availability: 'active', State: 'ready', UpdatedAt: '2026-11-30T05:00:00Z' };
  /** What tells of a service before it is looked at by itself. */
  listed: { replicas: 0 | 1; force: number } | undefined;
  readonly engine: FakeEngine;

  private constructor(engine: FakeEngine) {
    this.engine = engine;
    engine.answer((request) => this.#answer(request));
  }

  static async listen(): Promise<FakeManager> {
    const manager = new FakeManager(await FakeEngine.listen());
    managers.push(manager);
    return manager;
  }

  runtime(presence: () => Presence = () => 'there', others: string[] = []): Promise<Runtime> {
    const settings = { socket: [...others, this.engine.socket], tls: undefined };
    const knock = async () => presence();
    return createSwarmRuntime({ settings, clock: systemClock, logger: silentLogger, instance: 'bench', knock });
  }

  #answer({ route, body }: EngineRequest): EngineAnswer | undefined {
    switch (route) {
      case 'GET /tasks':
        return [200, this.tasks];
      case 'GET /tasks/t1':
      case 'GET /tasks/t2':
      case 'GET /tasks/t3':
        return this.tasks[0]?.ID === route.slice(-2) ? [200, this.tasks[0]] : undefined;
      case 'GET /nodes': {
        const { Availability, State, UpdatedAt } = this.node;
        const Status = { State, Addr: '10.0.0.5' };
        return [200, [{ ID: 'n1', UpdatedAt, Spec: { Availability }, Description: { Hostname: 'blue' }, Status }]];
      }
      case 'GET /services':
        return [200, this.service === undefined ? [] : [described(this.listed ?? this.service)]];
      case 'GET /services/s1':
      case 'GET /services/pilotlight-bench-shop-1':
        return this.service === undefined ? undefined : [200, described(this.service)];
      case 'POST /services/create':
        return (response) => void setTimeout(() => response.writeHead(201).end('{"ID":"s9"}'), 50);
      case 'POST /services/s1/update': {
        const { Mode, TaskTemplate } = body as ReturnType<typeof serviceSpec>;
        this.service = { replicas: Mode.Replicated?.Replicas as 0 | 1, force: TaskTemplate.ForceUpdate };
        return [200, {}];
      }
      case 'DELETE /services/s1':
        return 200;
      default:
        return undefined;
    }
  }
}

function described(to: { replicas: 0 | 1; force: number }): object {
  const Spec = serviceSpec(spec, run, { image: 'shop:1', secrets: [], configs: [] }, to);
  return { ID: 's1', Version: { Index: 7 }, Spec };
}

const managers: FakeManager[] = [];
const life: AbortController[] = [];
afterEach(async () => {
  for (const controller of life.splice(0)) controller.abort();
  for (const { engine } of managers.splice(0)) await engine.remove();
});

/** What a runtime tells. */
function watched(runtime: Runtime): RuntimeEvent[] {
  const controller = new AbortController();
  life.push(controller);
  const events: RuntimeEvent[] = [];
  runtime.watch((event) => events.push(event), controller.signal);
  return events;
}

const ended = () => taskOf('failed', { DesiredState: 'shutdown' });

test('what is scaled down is not listed as running, though it answers on a host that is lost', async () => {
  const manager = await FakeManager.listen();
  manager.service = { replicas: 0, force: 0 };
  manager.node.State = 'down';
  manager.tasks = [taskOf('running', { DesiredState: 'remove' })];
  expect(await (await manager.runtime()).list([], never)).toMatchObject([{ id: 's1', state: 'created' }]);
});

test('the hosts are looked at once for all tasks that have ended, however many Swarm lists', async () => {
  const manager = await FakeManager.listen();
  manager.tasks = Array.from({ length: 300 }, (_, index) => ({ ...ended(), ID: `t${index}` }));
  watched(await manager.runtime());
  await until('they are looked at again', () => manager.engine.count('GET /tasks') > 3);
  expect(manager.engine.count('GET /nodes')).toBe(1);
});

test('a service is had wait for its next start once after its task has ended', async () => {
  const manager = await FakeManager.listen();
  manager.tasks = [ended()];
  watched(await manager.runtime());
  await until('it is looked at again', () => manager.engine.count('GET /tasks') > 4);
  expect(manager.service).toEqual({ replicas: 0, force: 0 });
  expect(manager.engine.count('GET /services/s1')).toBe(1);
});

test('the end of an older task leaves a start alone whose task Swarm has yet to make', async () => {
  const manager = await FakeManager.listen();
  manager.service = { replicas: 1, force: 1 };
  manager.tasks = [ended()];
  watched(await manager.runtime());
  await until('it is looked at again', () => manager.engine.count('GET /tasks') > 3);
  expect(manager.service).toEqual({ replicas: 1, force: 1 });
});

test('what was started since the list of services was made is not removed', async () => {
  const manager = await FakeManager.listen();
  manager.listed = { replicas: 0, force: 0 };
  manager.tasks = [];
  await (await manager.runtime()).clean('shop', never);
  expect(manager.engine.count('DELETE /services/s1')).toBe(0);
});

test('one image is brought by one service, though all replicas are prepared at once', async () => {
  const manager = await FakeManager.listen();
  manager.service = undefined;
  const runtime = await manager.runtime();
  await Promise.all([1, 2, 3].map((ordinal) => runtime.prepare(specOf(run, ordinal), never)));
  const made = manager.engine.requests.filter(({ route }) => route === 'POST /services/create');
  const names = made.map(({ body }) => (body as { Name: string }).Name);
  expect(names.filter((name) => name.includes('-image-'))).toHaveLength(1);
  expect(names).toHaveLength(4);
});

test('one whose port is gone, and of which Swarm tells no end, is lost, whatever comes back, and started anew', async () => {
  const manager = await FakeManager.listen();
  manager.tasks = [taskOf('running')];
  let presence: Presence = 'there';
  const runtime = await manager.runtime(() => presence);
  expect(await runtime.inspect('t1', never)).toMatchObject({ state: 'running' });
  presence = 'gone';
  const lost = { state: 'stopped', lost: expect.stringContaining('nothing listens there any more') };
  expect(await runtime.inspect('t1', never)).toMatchObject(lost);
  presence = 'there';
  expect(await runtime.inspect('t1', never)).toMatchObject(lost);
  expect(await runtime.list([], never)).toMatchObject([{ state: 'stopped' }]);
  const started = runtime.start(spec, never).catch(() => undefined);
  await until('another task is asked for', () => manager.service?.force === 1);
  manager.tasks = [taskOf('failed', { DesiredState: 'shutdown', Spec: { ForceUpdate: 1 } })];
  await started;
});

test('one that listens no more again and again has itself to blame, unless its host has changed meanwhile', async () => {
  const manager = await FakeManager.listen();
  let presence: Presence = 'there';
  const runtime = await manager.runtime(() => presence);
  const givenUp = async (ID: string) => {
    manager.tasks = [taskOf('running', { ID })];
    presence = 'there';
    await runtime.inspect(ID, never);
    presence = 'gone';
    // Whoever looks at it at once, or later, is told the same.
    const ends = await Promise.all([runtime.inspect(ID, never), runtime.inspect(ID, never)]);
    return [...ends, await runtime.inspect(ID, never)].map((end) => (end?.lost !== undefined ? 'lost' : end?.deaf));
  };
  const itself = expect.stringContaining('nothing listens there any more');
  expect(await givenUp('t1')).toEqual(['lost', 'lost', 'lost']);
  expect(await givenUp('t2')).toEqual([itself, itself, itself]);
  manager.node.UpdatedAt = '2026-11-30T05:00:20Z';
  expect(await givenUp('t3')).toEqual(['lost', 'lost', 'lost']);
});

test('one whose end Swarm tells a moment after its port is gone has ended as Swarm says', async () => {
  const manager = await FakeManager.listen();
  manager.tasks = [taskOf('running')];
  let presence: Presence = 'there';
  const runtime = await manager.runtime(() => presence);
  await runtime.inspect('t1', never);
  presence = 'gone';
  const looked = runtime.inspect('t1', never);
  await until('it is looked at again', () => manager.engine.count('GET /tasks/t1') > 2);
  manager.tasks = [
    taskOf('failed', { DesiredState: 'shutdown' }, { ContainerStatus: { ContainerID: 'c', ExitCode: 3 } }),
  ];
  expect(await looked).toMatchObject({ state: 'stopped', exitCode: 3, lost: undefined });
});

test('a replica is told to leave also when it is known later than its end that its host is lost', async () => {
  const manager = await FakeManager.listen();
  manager.tasks = [taskOf('running')];
  const runtime = await manager.runtime();
  const events = watched(runtime);
  await until('it is looked at', () => manager.engine.count('GET /tasks') > 1);
  manager.tasks = [taskOf('running', { DesiredState: 'shutdown' })];
  await until('it is told to leave', () => events.length === 1);
  expect(await runtime.inspect('t1', never)).toMatchObject({ state: 'running', leaving: undefined });
  manager.node.State = 'down';
  await until('it is told again', () => events.length === 2);
  expect(events.map(({ type }) => type)).toEqual(['leaving', 'leaving']);
  expect(await runtime.inspect('t1', never)).toMatchObject({ leaving: 'its host blue is down' });
});

test('where one manager does not answer, or is none, the next one is asked, and asked first from then on', async () => {
  const [gone, worker, manager] = await Promise.all([1, 2, 3].map(() => FakeManager.listen()));
  if (gone === undefined || worker === undefined || manager === undefined) throw new Error('no managers');
  await gone.engine.stop();
  const message = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.";
  worker.engine.answer(() => [503, { message }]);
  const runtime = await manager.runtime(undefined, [gone.engine.socket, worker.engine.socket]);
  expect(await runtime.list([], never)).toHaveLength(1);
  const asked = worker.engine.requests.length;
  expect(await runtime.list([], never)).toHaveLength(1);
  expect(worker.engine.requests.length).toBe(asked);
  await manager.engine.stop();
  await expect(runtime.list([], never)).rejects.toMatchObject({
    message: `no Docker engine at ${manager.engine.socket}`,
  });
});
