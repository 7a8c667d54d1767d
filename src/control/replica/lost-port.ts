import type { ControlContext } from '../context.ts';
import type { Replica } from './replica.ts';
import { callRuntime, RUNTIME_CALL_MS } from './runtime-call.ts';
import { portTaken } from './start-sequence.ts';

/** What is given up before it has served has nothing to finish, and no more than this to end, ms. */
export const GIVEN_UP_GRACE_MS = 1000;

/** `lost`: it has ended, or another program has its address. `unknown`: only its runtime can tell. */
export type Whereabouts = 'there' | 'lost' | 'unknown';

/**
 * Looks whether a ready replica still is at its address. The machine itself knows that at once, and a runtime only some time
 * after it. A loss is noted, and the edges are told.
 */
export async function whereIs(
  { clock, life }: ControlContext,
  replica: Replica,
  publish: () => void,
): Promise<Whereabouts> {
  const { address, runtime, instance } = replica;
  if (replica.loss !== undefined) return 'lost';
  if (instance === undefined || address === undefined || replica.state !== 'ready') return 'unknown';
  const listener = await callRuntime(clock, RUNTIME_CALL_MS, life, async (signal) =>
    runtime.listener?.(instance.id, address, signal),
  ).catch(() => undefined);
  if (listener?.by === 'replica') return 'there';
  const isLost = listener?.by === 'stranger' || listener?.by === 'ended';
  if (!isLost || replica.state !== 'ready' || replica.instance !== instance) return 'unknown';
  replica.loss = listener;
  publish();
  return 'lost';
}

/** What became of it, in words. */
export function lossText({ address, loss }: Replica): string {
  return loss?.by === 'stranger' ? portTaken(address?.port, loss.pid).message : 'its process has ended';
}

/**
 * What was started has no port to listen on: it ends, if it has not, so that nothing of it stays beside the next try.
 * @param mayEnd whether replicas may be stopped
 * @throws what the runtime throws: then it still is the replica's
 */
export async function giveUpPort(
  { clock, life, logger }: ControlContext,
  replica: Replica,
  mayEnd: boolean,
  cause: unknown,
): Promise<void> {
  const { instance, runtime, spec } = replica;
  logger.warn({ replica: replica.name, cause: String(cause) }, 'a start lost its port to another program');
  // Its end is no news from here on.
  replica.instance = undefined;
  if (instance === undefined || !mayEnd) return;
  const stop = { signal: spec.run.stop.signal, graceMs: Math.min(spec.run.stop.graceMs, GIVEN_UP_GRACE_MS) };
  try {
    await callRuntime(clock, RUNTIME_CALL_MS, life, (signal) => runtime.stop(instance.id, stop, signal));
  } catch (thrown) {
    replica.instance = instance;
    throw thrown;
  }
}
