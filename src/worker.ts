/** The composition root of a worker process: one edge, told by the primary what to do. Started by `workers/`. */
import { createLoggedEdge } from './logged-edge.ts';
import { toPilotlightError } from './model/errors.ts';
import type { Logger, LogLevel } from './model/observe.ts';
import { createLogger } from './observe/logger.ts';
import { openTraces } from './observe/traces/open-traces.ts';
import { systemClock } from './util/clock.ts';
import { serveWorker } from './workers/serve-worker.ts';

// Signals are held, by `first.ts`, and stay so: a terminal or a supervisor signals the whole group, and the primary says
// when to end.
await serveWorker(process, async ({ name, logLevel, logFormat, accessLog, traces: sampling }, link) => {
  const own = createLogger({ level: logLevel, format: logFormat });
  const logger = named(own, name);
  process.on('uncaughtException', (thrown) => logDefect(logger, thrown));
  process.on('unhandledRejection', (thrown) => logDefect(logger, thrown));
  const shared = accessLog && { ...accessLog, shared: true };
  const traces = sampling && (await openTraces(sampling, systemClock, logger));
  const edge = await createLoggedEdge({ link, accessLog: shared, traces, clock: systemClock, logger });
  const setLogLevel = (level: LogLevel) => {
    own.level = level;
  };
  const close = () => edge.close().then(() => traces?.close());
  return { ...edge, close, setLogLevel };
});
process.exit(0);

/** Tells in every line which worker it is. */
function named({ debug, info, warn, error }: Logger, worker: string): Logger {
  return {
    debug: (fields, message) => debug({ worker, ...fields }, message),
    info: (fields, message) => info({ worker, ...fields }, message),
    warn: (fields, message) => warn({ worker, ...fields }, message),
    error: (fields, message) => error({ worker, ...fields }, message),
  };
}

/** As in the primary: what nobody caught must not end what other requests do. */
function logDefect(logger: Logger, thrown: unknown): void {
  const error = toPilotlightError(thrown);
  logger.error({ code: 'INTERNAL', err: error }, `uncaught error, traffic goes on: ${error.message}`);
}
