import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventType, PilotEvent } from '../../src/model/events.ts';
import type { ServiceStateName, ServiceStatus } from '../../src/model/status.ts';
import { COMPILE_CACHE } from './compile-cache.ts';
import { freePort } from './free-port.ts';
import { killIfAlive } from './marked-processes.ts';
import { MARK_VARIABLE } from './marks.ts';
import { parseMetrics, type Series, sumOf } from './metrics-text.ts';
import { MAIN } from './program-file.ts';
import { type Answer, type RequestOptions, request } from './raw-client.ts';
import { until } from './until.ts';
import type { Workspace } from './workspace.ts';

export interface ProxyOptions {
  workspace: Workspace;
  /** The configuration; `listen`, `admin` and `state` are filled in where it says nothing. */
  config: Record<string, unknown>;
  env?: Record<string, string>;
  /** Takes over the ports, the state and the file of a proxy that ended. */
  successorOf?: RunningProxy;
  /** The user to run as; the test's own by default. */
  uid?: number;
}

const READY_WITHIN_MS = 150_000;
/** From SIGTERM to the end at the latest, ms: the longest drain that a scenario sets, and some. */
const EXIT_WITHIN_MS = 150_000;

/** A running Pilotlight of its own ports, state directory and configuration file. */
export class RunningProxy {
  readonly port: number;
  readonly adminPort: number;
  readonly folder: string;
  readonly file: string;
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  /** Everything that it printed, stdout and stderr as they came. */
  output = '';
  /** Everything that it reported as an event since it was ready. */
  readonly events: PilotEvent[] = [];
  readonly #token: string | undefined;
  readonly #listening = new AbortController();
  #exited = false;

  private constructor(options: ProxyOptions, place: { port: number; adminPort: number; folder: string }) {
    this.port = place.port;
    this.adminPort = place.adminPort;
    this.folder = place.folder;
    this.file = join(place.folder, 'pilotlight.yaml');
    const admin = options.config['admin'] as { token?: string } | undefined;
    this.#token = admin?.token;
    const environment = { ...COMPILE_CACHE, PATH: process.env['PATH'] ?? '', HOME: place.folder };
    this.child = spawn(process.execPath, [MAIN, 'run', '-c', this.file], {
      cwd: place.folder,
      env: { ...environment, ...options.env, [MARK_VARIABLE]: options.workspace.mark },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.exit = new Promise((resolve) => {
      this.child.on('close', (code) => {
        this.#exited = true;
        this.#listening.abort();
        resolve(code);
      });
    });
  }

  /** Writes the configuration and starts the program, without waiting for it to be ready. */
  static async launch(options: ProxyOptions): Promise<RunningProxy> {
    const before = options.successorOf;
    const port = before?.port ?? (await freePort());
    const adminPort = before?.adminPort ?? (await freePort());
    const folder = before?.folder ?? join(options.workspace.folder, `proxy-${port}`);
    if (before === undefined) await mkdir(folder);
    await writeFile(join(folder, 'pilotlight.yaml'), configText(options.config, { port, adminPort, folder }));
    return new RunningProxy(options, { port, adminPort, folder });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get alive(): boolean {
    return !this.#exited;
  }

  /** Waits until it says that it is ready; throws with its output when it ends instead. */
  async ready(): Promise<this> {
    await until(
      'the proxy is ready',
      async () => {
        if (this.#exited)
          throw new Error(
            `the proxy ended with ${this.child.signalCode ?? `code ${this.child.exitCode}`}:\n${this.output}`,
          );
        return (await this.admin('/readyz').catch(() => undefined))?.status === 200;
      },
      READY_WITHIN_MS,
      25,
    );
    await this.#listen();
    return this;
  }

  /** Calls the admin API, with the token where there is one. */
  admin(path: string, options: RequestInit = {}): Promise<Response> {
    const headers = new Headers(options.headers);
    if (this.#token !== undefined && !headers.has('authorization')) {
      headers.set('authorization', `Bearer ${this.#token}`);
    }
    return fetch(`http://127.0.0.1:${this.adminPort}${path}`, {
      signal: AbortSignal.timeout(15_000),
      ...options,
      headers,
    });
  }

  services(): Promise<ServiceStatus[]> {
    return this.#json('/v1/services');
  }

  service(name: string): Promise<ServiceStatus> {
    return this.#json(`/v1/services/${name}`);
  }

  wake(name: string): Promise<ServiceStatus> {
    return this.#json(`/v1/services/${name}/wake`, { method: 'POST' });
  }

  sleep(name: string): Promise<ServiceStatus> {
    return this.#json(`/v1/services/${name}/sleep`, { method: 'POST' });
  }

  async metrics(): Promise<Series[]> {
    return parseMetrics(await (await this.#ok('/metrics')).text());
  }

  async metric(name: string, labels: Record<string, string> = {}): Promise<number> {
    return sumOf(await this.metrics(), name, labels);
  }

  /** Waits until the service is in that state. */
  async untilState(name: string, state: ServiceStateName, timeout = 120_000): Promise<void> {
    let last = '';
    const check = async (): Promise<boolean> => {
      const status = await this.service(name);
      last = JSON.stringify(status);
      return status.state === state;
    };
    await until(`${name} is ${state}`, check, timeout).catch((error) => {
      throw new Error(`${error.message}, but ${last}`);
    });
  }

  /** Waits until so many events of a type were reported. @returns the last of them */
  async untilTold(type: EventType, count = 1): Promise<PilotEvent> {
    const told = () => this.events.filter((event) => event.type === type);
    await until(`${type} is told`, () => told().length >= count, 30_000, 5);
    return told().at(-1) as PilotEvent;
  }

  /** Sends one request through the proxy. */
  request(options: RequestOptions): Promise<Answer> {
    return request(this.port, options);
  }

  /** Writes another configuration. */
  write(config: Record<string, unknown>): Promise<void> {
    return writeFile(this.file, configText(config, this));
  }

  /** Writes another configuration and asks for a reload. */
  async reload(config: Record<string, unknown>): Promise<void> {
    await this.write(config);
    this.signal('SIGHUP');
  }

  /** The process that serves: the one that was started, or what an upgrade put in its place. */
  get pid(): number {
    try {
      return (JSON.parse(readFileSync(join(this.folder, 'state/lock'), 'utf8')) as { pid: number }).pid;
    } catch {
      return this.child.pid ?? 0;
    }
  }

  signal(signal: NodeJS.Signals): void {
    killIfAlive(this.pid, signal);
  }

  /** Kills it, as a crash would. */
  async crash(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit;
  }

  /** Waits until no request is held; throws when some stay. */
  async nothingHeld(): Promise<void> {
    await until('nothing is held', async () => (await this.metric('pilotlight_held')) === 0);
  }

  /** Asks it to end, and checks that it does so in order and complained of nothing unforeseen. */
  async stop(): Promise<void> {
    await this.nothingHeld();
    this.signal('SIGTERM');
    await this.ended();
  }

  /** Waits for the end after SIGTERM: exit code 0, in time, and a clean output. */
  async ended(withinMs = EXIT_WITHIN_MS): Promise<void> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.signal('SIGKILL');
    }, withinMs);
    const code = await this.exit;
    clearTimeout(timer);
    if (late) throw new Error(`the proxy did not end within ${withinMs / 1000} s of SIGTERM:\n${this.output}`);
    if (code !== 0) throw new Error(`the proxy ended with code ${code}:\n${this.output}`);
    this.checkOutput();
  }

  /** Throws when the output has the marks of a defect: an unhandled rejection, a warning of Node's, a stack trace. */
  checkOutput(): void {
    const defect =
      /did not end in order|unhandled|uncaught|\bTypeError\b|\bReferenceError\b|\(node:\d+\)|^\s+at .+:\d+:\d+\)?$|\\n\s+at /im;
    const found = defect.exec(this.output)?.[0];
    if (found !== undefined) throw new Error(`the proxy's output has “${found.trim()}”:\n${this.output}`);
  }

  /** Resident memory of the proxy's process, bytes. */
  residentBytes(): number {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes) * 1024;
  }

  async #json<T>(path: string, options: RequestInit = {}): Promise<T> {
    return (await (await this.#ok(path, options)).json()) as T;
  }

  async #ok(path: string, options: RequestInit = {}): Promise<Response> {
    const answer = await this.admin(path, options);
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  }

  async #listen(): Promise<void> {
    const answer = await this.admin('/v1/events', { signal: this.#listening.signal });
    if (!answer.ok || answer.body === null) throw new Error(`/v1/events answered ${answer.status}`);
    this.#collect(answer.body).catch(() => undefined);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    let text = '';
    for await (const bytes of stream.pipeThrough(new TextDecoderStream() as never) as ReadableStream<string>) {
      const blocks = (text + bytes).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) this.events.push(JSON.parse(data) as PilotEvent);
      }
    }
  }
}

/** JSON is YAML: what the program reads is what is written here. */
function configText(
  config: Record<string, unknown>,
  place: { port: number; adminPort: number; folder: string },
): string {
  const own = {
    listen: [{ address: `127.0.0.1:${place.port}` }],
    state: join(place.folder, 'state'),
  };
  const admin = { address: `127.0.0.1:${place.adminPort}`, ...(config['admin'] as object | undefined) };
  return `${JSON.stringify({ ...own, ...config, admin }, null, 2)}\n`;
}
