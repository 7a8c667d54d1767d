import { formatDuration } from '../../util/units.ts';
import type { AppModel, StartModel } from '../app-model.ts';
import { constant, exponential, type ServiceTime } from '../service-time.ts';
import { readCrash, readSickness } from './ailment-spec.ts';
import { APP_FORMS } from './forms.ts';
import { readTime } from './time-spec.ts';
import { cut, expected, readCount, readDuration, readNumber, readPercent } from './words.ts';

/** What `--app` says, and what had to be assumed beside it. */
export interface AppSpec {
  app: AppModel;
  start: StartModel;
  /** A line each. */
  assumed: string[];
}

const DEFAULT_TIME_MS = 20;
const DEFAULT_SLOTS = 8;
const DEFAULT_START_MS = 1000;

/** Parts that need a value. */
const VALUED = [
  ...['time', 'later', 'slots', 'database', 'shed', 'errors', 'start', 'start-fails', 'stop', 'warm-up'],
  ...['crash', 'sick'],
];

/**
 * Reads how the app behaves: parts with commas between them, in any order, each once but `later` (see `APP_FORMS`).
 * @param text undefined: nothing was said
 * @param time how long requests take where the text does not say it, and why it is so
 * @throws USAGE
 */
export function readApp(text: string | undefined, time?: { serviceTime: ServiceTime; why: string }): AppSpec {
  const said = new Map<string, string | undefined>();
  const later: string[] = [];
  for (const part of text === undefined ? [] : text.split(',')) {
    const [name, value] = cut(part, ':');
    if (!isPart(name, value)) expected(`a part of an app (${APP_FORMS.join(', ')})`, part);
    if (name === 'later') later.push(value as string);
    else if (said.has(name)) expected(`"${name}" once`, part);
    else said.set(name, value);
  }
  if (said.has('lock') && said.has('database')) expected('either a lock or a database', text ?? '');

  const assumed: string[] = [];
  const startMs = saidOr(said, 'start', readDuration, () => {
    assumed.push(`a replica answers ${formatDuration(DEFAULT_START_MS)} after its start (start:TIME)`);
    return DEFAULT_START_MS;
  });
  const serviceTime = saidOr(said, 'time', readTime, () => {
    const why = time?.why ?? `requests take ${DEFAULT_TIME_MS}ms on average, exponential`;
    assumed.push(`${why} (time:TIME)`);
    return time?.serviceTime ?? exponential(DEFAULT_TIME_MS);
  });
  const slots = saidOr(
    said,
    'slots',
    (value) => readCount(value, 'a number of slots'),
    () => {
      assumed.push(`a replica works on ${DEFAULT_SLOTS} requests at once (slots:N)`);
      return DEFAULT_SLOTS;
    },
  );
  return {
    app: { ...withShared(serviceTime, said), ...withLater(later, said), slots, ...ailments(said) },
    start: {
      startMs,
      ...startFailures(said),
      ...(said.has('stop') && { stopMs: readDuration(said.get('stop') ?? '') }),
    },
    assumed,
  };
}

/** Those that stand alone, may have a value, or need one. */
function isPart(name: string, value: string | undefined): boolean {
  if (name === 'cpu') return value === undefined;
  if (name === 'lock') return true;
  return VALUED.includes(name) && value !== undefined;
}

/** Other times from some moment on: `TIME@MOMENT` each. */
function withLater(parts: readonly string[], said: ReadonlyMap<string, string | undefined>): Pick<AppModel, 'later'> {
  const later: { fromMs: number; serviceTime: ServiceTime }[] = [];
  for (const part of parts) {
    const [time, from] = cut(part, '@');
    if (from === undefined) return expected('another time from a moment on, such as later:200ms@5m', `later:${part}`);
    const fromMs = readDuration(from);
    if (fromMs <= (later.at(-1)?.fromMs ?? 0)) expected('"later" in the order of time', `later:${part}`);
    later.push({ fromMs, serviceTime: readTime(time) });
  }
  if (later.length === 0) return {};
  const isAllShared =
    (said.has('lock') && said.get('lock') === undefined) ||
    (said.has('database') && !(said.get('database') as string).includes(':'));
  if (isAllShared)
    expected('a time of its own for what is shared (lock:TIME, database:N:TIME) beside "later"', 'later');
  return { later };
}

/** The first so many starts, or a share of all, end before they answer. */
function startFailures(said: ReadonlyMap<string, string | undefined>): Partial<StartModel> {
  const text = said.get('start-fails');
  if (text === undefined) return {};
  return text.endsWith('%')
    ? { failShare: readPercent(text) }
    : { failsFirst: readCount(text, 'a share such as 30%, or how many fail at first') };
}

/** Without a time of its own, all the time of a request is spent with the lock or the connection. */
function withShared(serviceTime: ServiceTime, said: ReadonlyMap<string, string | undefined>) {
  if (!said.has('lock') && !said.has('database')) return { serviceTime };
  const [count, own] = said.has('lock') ? ['1', said.get('lock')] : cut(said.get('database') ?? '', ':');
  const connections = readCount(count, 'a number of connections');
  return own === undefined
    ? { serviceTime: constant(0), shared: { connections, serviceTime } }
    : { serviceTime, shared: { connections, serviceTime: readTime(own) } };
}

function ailments(said: ReadonlyMap<string, string | undefined>): Partial<AppModel> {
  const found: Partial<AppModel> = {};
  if (said.has('cpu')) found.sharesProcessor = true;
  const shed = said.get('shed');
  if (shed !== undefined) found.shedsAbove = readCount(shed, 'a number of waiting requests');
  const errors = said.get('errors');
  if (errors !== undefined) {
    const [share, after = '1ms'] = cut(errors, ':');
    found.errors = { share: readPercent(share), serviceTime: readTime(after) };
  }
  const warmUp = said.get('warm-up');
  if (warmUp !== undefined) {
    const [factor, length] = cut(warmUp, 'x/');
    if (length === undefined) expected('a warm-up such as 3x/10s', warmUp);
    found.warmUp = { factor: readNumber(factor, 'a factor such as 3x'), forMs: readDuration(length ?? '') };
  }
  const crash = said.get('crash');
  if (crash !== undefined) found.crash = readCrash(crash);
  const sick = said.get('sick');
  if (sick !== undefined) found.sick = readSickness(sick);
  return found;
}

function saidOr<T>(
  said: ReadonlyMap<string, string | undefined>,
  name: string,
  read: (value: string) => T,
  otherwise: () => T,
): T {
  const value = said.get(name);
  return value === undefined ? otherwise() : read(value);
}
