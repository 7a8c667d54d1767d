import { type DestinationStream, destination as openDestination, pino, stdTimeFunctions } from 'pino';
import type { LogFormat, Logger, LogLevel } from '../model/observe.ts';
import { prettyLine } from './pretty-line.ts';
import { redact } from './redact.ts';

interface LoggerOptions {
  /** Least severe level that is written. */
  level: LogLevel;
  /** Default: json. */
  format?: LogFormat;
  /** Where lines go; default: stderr. */
  destination?: DestinationStream;
}

/** Lines that a stalled reader of stderr may leave behind before new ones are dropped, bytes. */
const MAX_BACKLOG = 1024 * 1024;

/** A logger whose level may change. */
interface LeveledLogger extends Logger {
  level: LogLevel;
}

/**
 * A logger that writes one JSON object per line: `time` (ISO 8601), `level`, the fields, `msg`. Values of fields named
 * like a credential are replaced, errors become code and messages without a stack trace.
 */
export function createLogger({ level, format = 'json', destination = standardError() }: LoggerOptions): LeveledLogger {
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: redact },
    // The errors are made plain by `redact`; the default serialiser would print their stack traces.
    serializers: { err: (value: unknown) => value },
  };
  const written = format === 'json' ? destination : { write: (line: string) => destination.write(prettyLine(line)) };
  const lines = pino(options, written);
  return {
    get level() {
      return lines.level as LogLevel;
    },
    set level(next) {
      lines.level = next;
    },
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
  };
}

/** Not synchronous: a reader that stalls must not stop the proxy. What is pending is flushed at exit. */
function standardError(): DestinationStream {
  return openDestination({ fd: 2, sync: false, maxLength: MAX_BACKLOG });
}
