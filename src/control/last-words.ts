import type { ControlContext } from './context.ts';
import type { Replica } from './replica.ts';

/** Lines of a failed start's output that are logged. */
const LAST_WORDS = 5;

/** Logs what a replica whose start failed said last, which usually tells why. @param run the runtime's id of the run */
export function logLastWords({ logger, life }: ControlContext, { name, runtime, spec }: Replica, run: string): void {
  runtime.output(run, LAST_WORDS, life).then(
    (output) => {
      if (output.length > 0) logger.warn({ service: spec.service, replica: name, output }, `last output of ${name}`);
    },
    (cause: unknown) => logger.debug({ replica: name, cause: String(cause) }, 'no output of a failed start'),
  );
}
