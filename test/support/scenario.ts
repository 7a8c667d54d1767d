import { rm } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { inject, test } from 'vitest';
import { type App, type AppOptions, makeApp } from './app.ts';
import { lastLines } from './command.ts';
import { type DockerCall, dockerApi, removeContainers } from './docker-api.ts';
import { killMarked } from './marked-processes.ts';
import { MARK_LABEL } from './marks.ts';
import { RunningProxy } from './proxy.ts';
import { Turns } from './turns.ts';
import { makeWorkspace, type Workspace } from './workspace.ts';

export interface ProxySettings {
  apps?: App[];
  /** Top-level keys of the configuration; `services` are added to those of the apps. */
  config?: Record<string, unknown>;
  env?: Record<string, string>;
  successorOf?: RunningProxy;
  uid?: number;
}

/** What one scenario works with. All of it is gone when the scenario ended, however it ended. */
export class Stage {
  readonly workspace: Workspace;
  readonly #proxies: RunningProxy[] = [];
  readonly #apps: App[] = [];
  readonly #endings: (() => unknown)[] = [];
  readonly #mayRepeat = new Set<string>();
  #dismantled: Promise<void> | undefined;

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  /** The Docker engine of the tests. */
  get docker(): DockerCall {
    return dockerApi(this.workspace.dockerSocket);
  }

  /** A mimic as a service. */
  async app(name: string, options: AppOptions = {}): Promise<App> {
    const app = await makeApp(this.workspace, name, options);
    this.#apps.push(app);
    return app;
  }

  /** Starts a proxy in front of the apps and waits until it is ready. */
  async proxy(settings: ProxySettings): Promise<RunningProxy> {
    return (await this.launch(settings)).ready();
  }

  /** The same without waiting. */
  async launch(settings: ProxySettings): Promise<RunningProxy> {
    if (this.#dismantled !== undefined) throw new Error('the scenario is over');
    const { env, successorOf, uid } = settings;
    const options = { ...(env && { env }), ...(successorOf && { successorOf }), ...(uid === undefined ? {} : { uid }) };
    const config = this.config(settings);
    const proxy = await RunningProxy.launch({ workspace: this.workspace, config, ...options });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** The configuration that `proxy` would start with: to be changed and reloaded. */
  config({ apps = [], config = {} }: ProxySettings): Record<string, unknown> & { services: Record<string, unknown> } {
    const inDocker = apps.find(({ place }) => place !== 'process');
    const reach = inDocker?.place === 'docker-host' ? 'host' : 'container';
    const docker = inDocker === undefined ? {} : { docker: { socket: this.workspace.dockerSocket, reach } };
    const services = Object.fromEntries(apps.map(({ name, service }) => [name, service]));
    return { ...docker, ...config, services: { ...services, ...(config['services'] as object | undefined) } };
  }

  /** Lets a request id reach an app more than once. */
  mayRepeat(id: string): void {
    this.#mayRepeat.add(id);
  }

  /** Runs `ending` when the scenario is over. */
  onEnd(ending: () => unknown): void {
    this.#endings.push(ending);
  }

  /** Ends every proxy in order, and checks what holds for every scenario. */
  async finish(): Promise<void> {
    for (const proxy of this.#proxies) {
      if (proxy.alive) await proxy.stop();
      else proxy.checkOutput();
    }
    for (const { name, log } of this.#apps) {
      const repeated = log.repeated().filter((id) => !this.#mayRepeat.has(id));
      if (repeated.length > 0) throw new Error(`requests that reached ${name} more than once: ${repeated.join(', ')}`);
    }
  }

  /** Removes everything, running or not. */
  dismantle(): Promise<void> {
    this.#dismantled ??= this.#dismantle();
    return this.#dismantled;
  }

  /** What the proxies and the apps said last, for whoever looks for the reason of a failure. */
  account(): string {
    const proxies = this.#proxies.map(({ output }) => `the proxy said:\n${lastLines(output, 40)}`);
    const apps = this.#apps.map(({ name, log }) => {
      const lines = log.events().slice(-40);
      return `${name} saw:\n${lines.map((event) => JSON.stringify(event)).join('\n')}`;
    });
    return [...proxies, ...apps].join('\n\n');
  }

  async #dismantle(): Promise<void> {
    for (const proxy of this.#proxies) {
      if (proxy.alive) await proxy.crash();
    }
    for (const ending of this.#endings.reverse()) await ending();
    killMarked(this.workspace.mark);
    if (this.#apps.some(({ place }) => place !== 'process')) {
      await removeContainers(this.docker, `${MARK_LABEL}=${this.workspace.mark}`);
    }
    await rm(this.workspace.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface ScenarioOptions {
  /** Milliseconds from its turn to its end; five minutes by default. */
  timeout?: number;
  /** Nothing else runs beside it in this file: for what measures a reaction in milliseconds, or needs the processor. */
  alone?: boolean;
}

/** Each is at least two processes, and the machine may have two cores. */
const turns = new Turns(3);
/** How long a scenario may wait for its turn and last, ms. */
const PATIENCE_MS = 3_600_000;

/**
 * A test of the whole program, named by the behaviour. Whatever else it asserts:
 * no defect in the proxy's output, an exit in order, no request that reached an app twice, nothing held.
 */
export function scenario(
  title: string,
  body: (stage: Stage) => Promise<void>,
  { timeout = 300_000, alone = false }: ScenarioOptions = {},
): void {
  test(title, { timeout: PATIENCE_MS }, () => turns.take(alone, () => play(body, timeout)));
}

async function play(body: (stage: Stage) => Promise<void>, timeout: number): Promise<void> {
  const stage = new Stage(await makeWorkspace(inject('dockerSocket')));
  const time = new AbortController();
  try {
    const whole = body(stage).then(() => stage.finish());
    const limit = pause(timeout, undefined, { signal: time.signal }).then(() => {
      throw new Error(`the scenario did not end within ${timeout / 1000} s`);
    });
    whole.catch(() => undefined);
    await Promise.race([whole, limit]);
  } catch (error) {
    if (error instanceof Error) error.message += `\n\n${stage.account()}`;
    throw error;
  } finally {
    time.abort();
    await stage.dismantle();
  }
}
