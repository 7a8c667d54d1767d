import { PilotlightError } from '../../model/errors.ts';
import { statusOf } from '../engine-errors.ts';

/** What a manager says, or does not say, where the engine's own mapping is too coarse. */
export function toSwarmError(error: PilotlightError, place: string): PilotlightError {
  const { message } = error;
  if (/does not have a leader|too few managers|no elected primary/i.test(message)) {
    const line = `the swarm at ${place} has no leader: too few of its managers are there`;
    return new PilotlightError('RUNTIME_UNREACHABLE', line, error);
  }
  if (statusOf(error) === 503 || /not a swarm manager/i.test(message)) {
    return new PilotlightError('NOT_A_MANAGER', noManager(message, place), error);
  }
  const missing = /\b(secret|config) not found: (\S+)|\b(network) (\S+) not found/i.exec(message);
  if (missing !== null) {
    const [, kind = missing[3], name = missing[4]] = missing;
    return new PilotlightError('RUNTIME_FAILED', `there is no ${kind} ${name} in the swarm`, error);
  }
  return error;
}

function noManager(message: string, place: string): string {
  if (/worker nodes/i.test(message)) return `the engine at ${place} is a worker of its swarm: name a manager`;
  if (/locked/i.test(message)) return `the swarm at ${place} is locked: docker swarm unlock`;
  return `the engine at ${place} is in no swarm: docker swarm init, or join`;
}

/** Whether a service was changed, or made, in between: by somebody else, or by a call of ours whose answer was lost. */
export function isOutOfSequence(thrown: unknown): boolean {
  return (
    thrown instanceof PilotlightError && /update out of sequence|name conflicts with an existing/i.test(thrown.message)
  );
}

/** How a task failed, as Swarm has it. */
export interface TaskFailure {
  state: string;
  /** Swarm's own words. */
  text: string;
  exitCode: number | undefined;
  /** Name of the host; undefined where none was found. */
  host: string | undefined;
}

/** Why a start came to nothing. */
export function startFailure({ state, text, exitCode, host }: TaskFailure): PilotlightError {
  const where = host === undefined ? '' : ` on ${host}`;
  const image = /no such image: (\S+)/i.exec(text)?.[1];
  if (image !== undefined) {
    const line = `no such image${where}: ${image} (no registry gave it, and the host has none)`;
    return new PilotlightError('IMAGE_MISSING', line);
  }
  const source = /bind source path does not exist: (\S+?)"?$/i.exec(text)?.[1];
  if (source !== undefined) {
    return new PilotlightError('MOUNT_MISSING', `${source}, which volumes names, does not exist${where}`);
  }
  if (/executable file not found|exec: ".*": .*(no such file or directory|permission denied)/i.test(text)) {
    return new PilotlightError('COMMAND_NOT_FOUND', `${firstLine(text)}${where}`);
  }
  if (/port is already allocated|address already in use|host-mode port already in use/i.test(text)) {
    return new PilotlightError('PORT_CLASH', `${firstLine(text)}${where}`);
  }
  const code = exitCode === undefined ? '' : ` (exit code ${exitCode})`;
  if (state === 'failed' || state === 'complete') {
    const outOfMemory = exitCode === 137 && /oom/i.test(text);
    return new PilotlightError(
      outOfMemory ? 'OUT_OF_MEMORY' : 'REPLICA_EXITED',
      `it ended at once${where}${outOfMemory ? ', out of memory' : ''}${code}`,
    );
  }
  return new PilotlightError('RUNTIME_FAILED', `Swarm: ${state}${where}: ${firstLine(text)}`);
}

/** No host may take it, or has what it asks for. */
export function noNodeFits(text: string): PilotlightError {
  const why = /\((.*)\)/.exec(text)?.[1] ?? firstLine(text);
  return new PilotlightError('NO_NODE_FITS', `no host of the swarm fits: ${why}`);
}

function firstLine(text: string): string {
  return (text.trim().split('\n', 1)[0] ?? '').slice(0, 500);
}
