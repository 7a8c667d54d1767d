import { join } from 'node:path';
import { ProcessRecords } from '../../src/runtime/process/record.ts';
import { freePort } from '../../test/support/free-port.ts';
import { killIfAlive } from '../../test/support/marked-processes.ts';
import type { RunningProxy } from '../../test/support/proxy.ts';
import { epochNow, pause } from '../../test/support/raw-client.ts';
import { until } from '../../test/support/until.ts';
import type { Workspace } from '../../test/support/workspace.ts';
import type { AccessTrail } from './access-trail.ts';
import type { Random } from './random.ts';
import { SLEEPERS, townConfig, type Variant } from './town.ts';

/** A replica that was killed. */
export interface Kill {
  /** host:port. */
  address: string;
  /** Epoch ms. */
  at: number;
}

interface DisturberOptions {
  proxy: RunningProxy;
  workspace: Workspace;
  workers: number;
  trail: AccessTrail;
  random: Random;
}

/** How often what is done to the proxy, of all that is done to it. */
const WEIGHTS = { kill: 5, reload: 3, 'bad reload': 2, sleep: 4, wake: 1 };

export type Disturbance = keyof typeof WEIGHTS;

/** Between two disturbances, ms. */
const PAUSE_MS = [500, 3000] as const;
/**
 * Only replicas that were ready for so long are killed, ms: an end within 10 s of being ready is a failed start, two of
 * which keep a service from being started for a while.
 */
const GROWN_UP_MS = 11_000;
/** How long a reload may take, ms. */
const RELOAD_MS = 30_000;

/** Kills replicas, reloads the configuration, puts services to sleep and wakes them. */
export class Disturber {
  readonly kills: Kill[] = [];
  readonly counts: Record<Disturbance, number> = { kill: 0, reload: 0, 'bad reload': 0, sleep: 0, wake: 0 };
  /** How many events of which type the proxy reported. */
  readonly events: Record<string, number> = {};
  readonly #options: DisturberOptions;
  readonly #records: ProcessRecords;
  /** Since when which address is known to be ready, epoch ms. */
  #readySince = new Map<string, number>();
  #variant: Variant = { generation: 0 };

  constructor(options: DisturberOptions) {
    this.#options = options;
    this.#records = new ProcessRecords(join(options.proxy.folder, 'state/processes'));
  }

  /** Disturbs at random until the time is over and everything was done at least once. */
  async run(ms: number): Promise<void> {
    const { random } = this.#options;
    const end = performance.now() + ms;
    for (;;) {
      const isOver = performance.now() >= end;
      const what = isOver ? this.#missing : random.weighted(WEIGHTS);
      if (what === undefined) return;
      await this.#watch();
      await this.#do(what);
      this.#countEvents();
      await pause(random.between(...PAUSE_MS));
    }
  }

  get #missing(): Disturbance | undefined {
    return (Object.keys(WEIGHTS) as Disturbance[]).find((what) => this.counts[what] === 0);
  }

  async #do(what: Disturbance): Promise<void> {
    switch (what) {
      case 'kill':
        return this.#kill();
      case 'reload':
        return this.#reload();
      case 'bad reload':
        return this.#reloadBadly();
      case 'sleep':
      case 'wake': {
        this.counts[what]++;
        await this.#options.proxy[what](this.#options.random.pick(SLEEPERS) ?? '');
      }
    }
  }

  async #watch(): Promise<void> {
    const replicas = (await this.#options.proxy.services()).flatMap((service) => service.replicas);
    const ready = replicas.filter(({ state }) => state === 'ready').map(({ address }) => address ?? '');
    this.#readySince = new Map(ready.map((address) => [address, this.#readySince.get(address) ?? epochNow()]));
  }

  #kill(): void {
    const grownUp = [...this.#readySince].filter(([, since]) => epochNow() - since > GROWN_UP_MS);
    const [address] = this.#options.random.pick(grownUp) ?? [];
    const records = this.#records.files('json').map((replica) => this.#records.read(replica));
    const victim = records.find((record) => `127.0.0.1:${record?.port}` === address);
    if (victim === undefined || address === undefined) return;
    this.counts.kill++;
    this.kills.push({ address, at: epochNow() });
    killIfAlive(victim.pid, 'SIGKILL');
  }

  /** Takes back what a reload added to listeners and routes. */
  async restore(): Promise<void> {
    await this.#reloadAs({ generation: this.#variant.generation });
  }

  async #reload(): Promise<void> {
    const { proxy, random } = this.#options;
    const { generation } = this.#variant;
    const own = `127.0.0.1:${proxy.port}`;
    const listen = random.next() < 0.5 ? [own] : [own, `127.0.0.1:${await freePort()}`];
    const next = { generation: random.next() < 0.3 ? generation + 1 : generation, listen };
    await this.#reloadAs(random.next() < 0.5 ? next : { ...next, route: `route-${random.whole(0, 999)}.test` });
  }

  /** Another file, for which the access log is opened anew as well. */
  async #reloadAs(variant: Variant): Promise<void> {
    const { workspace, workers, trail } = this.#options;
    this.#variant = variant;
    const config = await townConfig(workspace, workers, this.#variant);
    this.counts.reload++;
    await trail.rotate(() => this.#signal(config, 'reloaded'));
  }

  /** A file with a mistake, or one that asks for what cannot be had. */
  async #reloadBadly(): Promise<void> {
    const { proxy, random, workspace, workers } = this.#options;
    const config = await townConfig(workspace, workers, this.#variant);
    const taken = [{ address: `127.0.0.1:${proxy.port}` }, { address: `127.0.0.1:${proxy.adminPort}` }];
    const bad = random.next() < 0.5 ? { ...config, sevrices: {} } : { ...config, listen: taken };
    this.counts['bad reload']++;
    await this.#signal(bad, 'reload-failed');
  }

  async #signal(config: Record<string, unknown>, outcome: 'reloaded' | 'reload-failed'): Promise<void> {
    const { proxy } = this.#options;
    this.#countEvents();
    const before = this.events[outcome] ?? 0;
    await proxy.reload(config);
    await until(
      `the configuration is ${outcome}`,
      () => {
        this.#countEvents();
        return (this.events[outcome] ?? 0) > before;
      },
      RELOAD_MS,
    );
  }

  /** They are taken off the proxy's list, which would be long after hours. */
  #countEvents(): void {
    for (const { type } of this.#options.proxy.events.splice(0)) this.events[type] = (this.events[type] ?? 0) + 1;
  }
}
