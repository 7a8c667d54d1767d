/**
 * Signals that come while the program is being loaded. Nobody acts on them yet, and Node would end the process (the
 * first one of a container would not even end). So they are kept until it is known what they are to do.
 */
const SIGNALS = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const;

const came: NodeJS.Signals[] = [];

function keep(signal: NodeJS.Signals): void {
  came.push(signal);
}

/** Keeps what comes from now on. */
export function holdSignals(): void {
  for (const signal of SIGNALS) process.on(signal, keep);
}

/** Keeps no more. @returns what came meanwhile, in order, for whoever listens to signals now */
export function takeSignals(): NodeJS.Signals[] {
  for (const signal of SIGNALS) process.off(signal, keep);
  return came.splice(0);
}

/** Keeps no more: what came and what comes does what Node has it do. */
export function releaseSignals(): void {
  for (const signal of takeSignals()) process.kill(process.pid, signal);
}
