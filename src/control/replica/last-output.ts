import type { RunSettings } from '../../model/settings.ts';
import { printable } from '../../util/printable.ts';
import type { ControlContext } from '../context.ts';
import type { Replica } from './replica.ts';
import { callRuntime } from './runtime-call.ts';

/** Lines of a failed start's output that are kept. */
export const START_LINES = 5;
/** Of each so many characters. */
const LINE_LENGTH = 300;
/** A runtime that does not say it within this is not waited for: under the shortest back-off, ms. */
const ASK_MS = 700;
/** Shorter values of the environment are words like any other. */
const SECRET_LENGTH = 8;

/**
 * What a replica said last in a run, which usually tells why it ended where it did: oldest line first, harmless to a terminal, and
 * without what its `env` holds, which may be secret.
 * @param run the runtime's id of the run
 * @returns none where the runtime does not tell within a moment
 */
export async function lastOutput(
  context: ControlContext,
  { runtime, spec, name }: Pick<Replica, 'runtime' | 'spec' | 'name'>,
  run: string,
  count: number,
): Promise<string[]> {
  const { clock, life, logger } = context;
  try {
    const lines = await callRuntime(clock, ASK_MS, life, (signal) => runtime.output(run, count, signal));
    return lines.map((line) => printable(withoutValues(line, spec.run), LINE_LENGTH));
  } catch (cause) {
    logger.debug({ replica: name, cause: String(cause) }, 'no output of a replica');
    return [];
  }
}

/** The values of variables are shown as `$NAME`, the longest first: one may be part of another. */
function withoutValues(line: string, run: RunSettings): string {
  const env = Object.entries(run.env ?? {});
  const secrets = env
    .flatMap(([name, value]) => value.split('\n').map((part) => [name, part] as const))
    .filter(([, value]) => value.length >= SECRET_LENGTH)
    .sort(([, a], [, b]) => b.length - a.length);
  return secrets.reduce((text, [name, value]) => text.replaceAll(value, () => `$${name}`), line);
}
