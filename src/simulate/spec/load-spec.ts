import {
  constantRate,
  inSequence,
  type Load,
  linearRates,
  openLoad,
  type Profile,
  type RatePoint,
  sineRate,
  stepRates,
} from '../load.ts';
import { exponential } from '../service-time.ts';
import { LOAD_FORMS } from './forms.ts';
import { readTime } from './time-spec.ts';
import { cut, expected, readCount, readDuration, readNumber } from './words.ts';

/** What `--load` says. */
export interface LoadSpec {
  load: Load;
  /** How long a client waits for the first byte, ms. */
  patienceMs: number | undefined;
}

const THEN = ' then ';
const FOR = ' for ';

/**
 * Reads a load: `constant:RATE`, `step:RATE,RATE@TIME…`, `ramp:FROM..TO/TIME`, `sine:LEAST..MOST/PERIOD`,
 * `spike:BASE..PEAK@TIME/LENGTH` or `closed:CLIENTS[,think:TIME]`; or one after the other, as
 * `LOAD for TIME then LOAD for TIME then LOAD` (clients of a closed loop do not come and go). At the end of all of it
 * `,even` (evenly spaced instead of Poisson) and `,patience:TIME`. @throws USAGE
 */
export function readLoad(whole: string): LoadSpec {
  const pieces = whole.split(THEN);
  const text = pieces.pop() as string;
  const before = pieces.map(readPiece);
  const [first = '', ...others] = text.split(',');
  const [kind, value] = cut(first, ':');
  if (value === undefined) return expected(`a load (${LOAD_FORMS.join(', ')})`, text);
  const words = [...others];
  const patience = take(words, (word) => word.startsWith('patience:'));
  const patienceMs = patience === undefined ? undefined : readDuration(patience.slice('patience:'.length));
  if (kind === 'closed') {
    if (before.length > 0) expected('a load that does not depend on answers after "then"', text);
    const think = take(words, (word) => word.startsWith('think:'));
    const load: Load = {
      kind: 'closed',
      clients: readCount(value, 'a number of clients'),
      think: think === undefined ? exponential(1000) : readTime(think.slice('think:'.length)),
    };
    return words[0] === undefined ? { load, patienceMs } : expected('think:TIME or patience:TIME', words[0]);
  }
  const even = take(words, (word) => word === 'even') !== undefined;
  const profile = readProfile(kind, value, words, text);
  if (words[0] !== undefined) return expected('even or patience:TIME', words[0]);
  return { load: openLoad(inSequence(before, profile), even ? 'even' : 'poisson'), patienceMs };
}

/** One of those before the last: `LOAD for TIME`. */
function readPiece(text: string): { profile: Profile; lengthMs: number } {
  const [load, length] = cut(text, FOR);
  if (length === undefined) return expected('how long it goes on (LOAD for TIME then LOAD)', text);
  const [first = '', ...words] = load.split(',');
  const [kind, value] = cut(first, ':');
  if (value === undefined || kind === 'closed') return expected('a load that does not depend on answers', load);
  const profile = readProfile(kind, value, words, load);
  if (words[0] !== undefined) expected('"even" and "patience" at the end of the last load', words[0]);
  return { profile, lengthMs: readDuration(length) };
}

/** Takes its words out of `words`. */
function readProfile(kind: string, value: string, words: string[], whole: string): Profile {
  if (kind === 'constant') return constantRate(rate(value));
  if (kind === 'step') return readSteps(value, words);
  const [range, length] = cut(value, '/');
  const [rates, at] = cut(range, '@');
  const [low, high] = cut(rates, '..');
  const isSpike = kind === 'spike';
  const isKnown = kind === 'ramp' || kind === 'sine' || isSpike;
  if (!isKnown || length === undefined || high === undefined || isSpike !== (at !== undefined)) {
    return expected(`a load (${LOAD_FORMS.join(', ')})`, whole);
  }
  const from = rate(low);
  const to = rate(high);
  const lengthMs = readDuration(length);
  if (kind === 'ramp') {
    return linearRates([
      { atMs: 0, perSecond: from },
      { atMs: lengthMs, perSecond: to },
    ]);
  }
  if (kind === 'sine') return from <= to ? sineRate(from, to, lengthMs) : expected('the least rate first', rates);
  const atMs = readDuration(at ?? '');
  return stepRates([
    { atMs: 0, perSecond: from },
    { atMs, perSecond: to },
    { atMs: atMs + lengthMs, perSecond: from },
  ]);
}

function readSteps(first: string, words: string[]): Profile {
  const points: RatePoint[] = [{ atMs: 0, perSecond: rate(first) }];
  for (;;) {
    const word = take(words, (candidate) => candidate.includes('@'));
    if (word === undefined) break;
    const [value, at = ''] = cut(word, '@');
    const atMs = readDuration(at);
    if (atMs <= (points.at(-1) as RatePoint).atMs) expected('steps in the order of time', word);
    points.push({ atMs, perSecond: rate(value) });
  }
  return points.length > 1 ? stepRates(points) : expected('step:RATE,RATE@TIME', `step:${first}`);
}

function rate(text: string): number {
  return readNumber(text, 'a rate (requests per second)');
}

function take(words: string[], isIt: (word: string) => boolean): string | undefined {
  const at = words.findIndex(isIt);
  return at < 0 ? undefined : words.splice(at, 1)[0];
}
