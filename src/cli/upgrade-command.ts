import { PilotlightError } from '../model/errors.ts';
import { type Clock, sleep } from '../util/clock.ts';
import { holderOf } from '../util/state-directory.ts';
import { findAdmin } from './admin-target.ts';
import { locateConfig } from './locate-config.ts';
import { readSettings } from './read-settings.ts';
import type { Terminal } from './terminal.ts';
import { UpgradeRefusal } from './upgrade-refusal.ts';

/**
 * How long a successor may take until it has the state directory, ms: what `upgrade` allows it, and some. Beyond that,
 * a drain: what runs may have replaced another one just now, which it lets end first.
 */
const BOOT_MS = 65_000;
/** How much longer than its drain the process before may take to end, or to go on, ms. */
const END_MS = 40_000;
/** From having the replicas back to having said why, ms. */
const REASON_MS = 1000;
const LOOK_EVERY_MS = 50;

interface UpgradeOptions {
  config?: string;
  json?: true;
}

/**
 * `upgrade`: has the proxy of a configuration replaced by the program and the configuration as they are now. Returns
 * when the process before has ended.
 * @throws CONFIG_NOT_FOUND; UPGRADE_FAILED when nothing runs, or what runs goes on
 */
export async function runUpgrade({ config, json }: UpgradeOptions, terminal: Terminal): Promise<number> {
  const file = await locateConfig(config, terminal);
  const settings = await readSettings(file, terminal);
  if (settings === undefined) return 1;
  const { state, services } = settings;
  const before = await holderOf(state);
  if (before === undefined)
    throw new PilotlightError('UPGRADE_FAILED', `no Pilotlight runs with the state in ${state}`);
  const drainMs = Math.max(0, ...services.map(({ timeouts }) => timeouts.drainMs));
  const refusal = new UpgradeRefusal();
  const done = new AbortController();
  await refusal.listen(await findAdmin({ config: file }, terminal), done.signal);
  try {
    askForUpgrade(before);
    const successor = await replaced({ state, before, drainMs, refusal }, terminal.clock);
    const text = `process ${successor} has taken the place of process ${before}`;
    terminal.out(json === true ? JSON.stringify({ process: successor, before }) : text);
    return 0;
  } finally {
    done.abort();
  }
}

interface Replacement {
  state: string;
  before: number;
  /** Longest drain of the services, ms. */
  drainMs: number;
  refusal: UpgradeRefusal;
}

/** Waits until another process has taken the place of the one before, and that has ended. @returns the other one */
async function replaced({ state, before, drainMs, refusal }: Replacement, clock: Clock): Promise<number> {
  let successor: number | undefined;
  let deadline = clock.now() + BOOT_MS + drainMs;
  while (clock.now() < deadline && refusal.reason === undefined) {
    await sleep(clock, LOOK_EVERY_MS, new AbortController().signal);
    const holder = await holderOf(state);
    if (successor === undefined && holder !== undefined && holder !== before) {
      successor = holder;
      deadline = clock.now() + END_MS + drainMs;
    } else if (successor !== undefined && holder === before) {
      // It says why as soon as all is as before.
      deadline = Math.min(deadline, clock.now() + REASON_MS);
    }
    if (successor !== undefined && !isRunning(before)) return successor;
  }
  const why = refusal.reason ?? 'it goes on, and its log says why';
  throw new PilotlightError('UPGRADE_FAILED', `process ${before}: ${why}`);
}

function askForUpgrade(pid: number): void {
  try {
    process.kill(pid, 'SIGUSR2');
  } catch (error) {
    throw new PilotlightError('UPGRADE_FAILED', `this user may not signal process ${pid}`, error);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
