import { StringDecoder } from 'node:string_decoder';
import { type PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { backoffDelay } from '../../util/backoff.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { type DockerEngine, limits } from '../engine.ts';

/** One event of a container, as the engine sends it. */
export interface ContainerEvent {
  id: string;
  /** The container's name, and its labels among others. */
  attributes: Record<string, string>;
  action: (typeof ACTIONS)[number];
  /** When it happened by the engine's clock, ns since the epoch. */
  timeNano: number;
}

interface EventWatchOptions {
  engine: DockerEngine;
  clock: Clock;
  logger: Logger;
  random: () => number;
  onEvent: (event: ContainerEvent) => void;
  /** The stream broke, or could not be had, and why, where that is known. */
  onLost: (cause: PilotlightError | undefined) => void;
  /** It is there again; what happened in between may be missing. */
  onRestored: () => void;
}

const ACTIONS = ['create', 'rename', 'start', 'unpause', 'kill', 'die', 'pause', 'destroy'] as const;
const BACKOFF = { base: 100, cap: 4_000, jitter: 0.5 };
/** No event is longer than this, characters. */
const LONGEST_LINE = 1024 * 1024;
/** How many events are remembered to know them again; the engine replays 256 at most. */
const REMEMBERED = 512;

/** How far the stream was read. */
interface Position {
  /** Second by the engine's clock from which on to replay. */
  since: number;
  /** The last events; those of that second come again after a reconnect. */
  seen: Set<string>;
}

/** Follows the engine's events of containers until aborted, through every break of the connection. */
export async function watchEvents(options: EventWatchOptions, signal: AbortSignal): Promise<void> {
  const { engine, clock, logger, random } = options;
  // The engine replays from this second on: nothing is missed between this call and the open stream.
  const position: Position = { since: Math.floor(clock.wall() / 1000), seen: new Set() };
  let state: 'connected' | 'lost' = 'connected';
  for (let failures = 0; !signal.aborted; ) {
    let why: PilotlightError | undefined;
    try {
      const stream = await openStream(engine, position.since, signal);
      if (state === 'lost') {
        state = 'connected';
        logger.info({ engine: engine.place }, 'the event stream of Docker is back');
        options.onRestored();
      }
      failures = 0;
      await consume(stream, options, position, signal);
    } catch (cause) {
      if (signal.aborted) return;
      why = toPilotlightError(cause, 'RUNTIME_FAILED');
      logger.debug({ engine: engine.place, cause: why.message }, 'no event stream from Docker');
    }
    if (signal.aborted) return;
    if (state === 'connected') {
      state = 'lost';
      logger.warn({ engine: engine.place, cause: why?.message }, 'lost the event stream of Docker');
      options.onLost(why);
    }
    failures++;
    await sleep(clock, backoffDelay(failures, BACKOFF, random), signal).catch(() => undefined);
  }
}

/** Cuts a stream of bytes into events; anything that is not one of ours is left out. */
class EventParser {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  push(chunk: Buffer): ContainerEvent[] {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    const rest = lines.pop() ?? '';
    this.#rest = rest.length > LONGEST_LINE ? '' : rest;
    return lines.flatMap((line) => parseEvent(line) ?? []);
  }
}

function openStream(engine: DockerEngine, since: number, signal: AbortSignal): Promise<NodeJS.ReadableStream> {
  const filters = { type: ['container'], event: [...ACTIONS] };
  return engine.call(limits.ask, signal, (docker, abortSignal) =>
    docker.getEvents({ since, filters: JSON.stringify(filters), abortSignal }),
  );
}

/** Resolves when the stream ends, however it ends. */
function consume(
  stream: NodeJS.ReadableStream & { destroy?: () => void },
  { onEvent }: EventWatchOptions,
  position: Position,
  signal: AbortSignal,
): Promise<void> {
  const parser = new EventParser();
  return new Promise((resolve) => {
    const abort = () => stream.destroy?.();
    const end = () => {
      signal.removeEventListener('abort', abort);
      resolve();
    };
    signal.addEventListener('abort', abort, { once: true });
    stream.on('error', end).on('end', end).on('close', end);
    stream.on('data', (chunk: Buffer) => {
      for (const event of parser.push(chunk)) if (isNew(event, position)) onEvent(event);
    });
    if (signal.aborted) abort();
  });
}

/** Not by time alone: events that happen at once may come in any order. */
function isNew({ id, action, timeNano }: ContainerEvent, position: Position): boolean {
  const key = `${timeNano} ${action} ${id}`;
  if (position.seen.has(key)) return false;
  position.seen.add(key);
  for (const oldest of position.seen) {
    if (position.seen.size <= REMEMBERED) break;
    position.seen.delete(oldest);
  }
  position.since = Math.max(position.since, Math.floor(timeNano / 1e9));
  return true;
}

function parseEvent(line: string): ContainerEvent | undefined {
  let value: { Type?: unknown; Action?: unknown; timeNano?: unknown; Actor?: { ID?: unknown; Attributes?: unknown } };
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  const action = ACTIONS.find((known) => known === value?.Action);
  const id = value?.Actor?.ID;
  if (value?.Type !== 'container' || action === undefined || typeof id !== 'string') return undefined;
  const attributes = (value.Actor?.Attributes ?? {}) as Record<string, string>;
  return { id, attributes, action, timeNano: Number(value.timeNano) || 0 };
}
