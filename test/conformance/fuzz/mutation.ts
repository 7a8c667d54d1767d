import * as fc from 'fast-check';
import { LINES, ODD, SIZES, WORDS } from './oddities.ts';

/** One change of a message. What `at` and `pick` select depends on the message, so that any numbers are good ones. */
export interface Mutation {
  change: keyof typeof changes;
  /** Where, in ten-thousandths of the places there are. */
  at: number;
  /** Which of the ways. */
  pick: number;
}

const SCALE = 10_000;

const changes = {
  insert: (text: string, at: number, pick: number) => splice(text, place(text, at), 0, oddity(pick)),
  'insert at a joint': (text: string, at: number, pick: number) => splice(text, joint(text, at), 0, oddity(pick)),
  remove: (text: string, at: number, pick: number) => splice(text, place(text, at), 1 + (pick % 6), ''),
  'remove at a joint': (text: string, at: number, pick: number) => splice(text, joint(text, at), 1 + (pick % 2), ''),
  replace: (text: string, at: number, pick: number) => splice(text, place(text, at), 1, oddity(pick)),
  'replace at a joint': (text: string, at: number, pick: number) => splice(text, joint(text, at), 1, oddity(pick)),
  repeat: (text: string, at: number, pick: number) => {
    const from = place(text, at);
    return splice(text, from, 0, text.slice(from, from + 1 + (pick % 40)));
  },
  recase: (text: string, at: number, pick: number) => {
    const from = place(text, at);
    const part = text.slice(from, from + 1 + (pick % 20));
    return splice(text, from, part.length, part.replace(/[A-Za-z]/g, otherCase));
  },
  'repeat a line': (text: string, at: number, pick: number) =>
    onLines(text, at, (lines, index) => lines.splice(pick % (lines.length + 1), 0, lines[index] as string)),
  'flood with a line': (text: string, at: number, pick: number) =>
    onLines(text, at, (lines, index) => {
      lines.splice(index, 0, ...Array.from({ length: 90 + (pick % 200) }, () => lines[index] as string));
    }),
  'remove a line': (text: string, at: number) => onLines(text, at, (lines, index) => lines.splice(index, 1)),
  'swap lines': (text: string, at: number, pick: number) =>
    onLines(text, at, (lines, index) => {
      const [line = ''] = lines.splice(index, 1);
      lines.splice(pick % (lines.length + 1), 0, line);
    }),
  'insert a line': (text: string, at: number, pick: number) =>
    onLines(text, at, (lines, index) => lines.splice(index, 0, choose(LINES, pick))),
  'change a word': changeWord,
  'change a number': changeNumber,
  grow: (text: string, at: number, pick: number) => {
    const from = place(text, at);
    const size = choose(SIZES, pick);
    return splice(text, from, 0, (text[from] ?? 'a').repeat(size));
  },
  'break off': (text: string, at: number) => text.slice(0, place(text, at)),
};

const COMMON = Object.keys(changes).filter((each) => !/flood|grow/.test(each)) as Mutation['change'][];
const LARGE: Mutation['change'][] = ['flood with a line', 'grow'];

const mutation: fc.Arbitrary<Mutation> = fc.record({
  change: fc.oneof(
    { weight: 60, arbitrary: fc.constantFrom(...COMMON) },
    { weight: 1, arbitrary: fc.constantFrom(...LARGE) },
  ),
  at: fc.nat(SCALE - 1),
  pick: fc.nat(SCALE - 1),
});

/** None in one of five messages, else mostly one. */
export const mutations = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 3, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.array(mutation, { minLength: 2, maxLength: 4 }) },
);

export function mutate(text: string, list: readonly Mutation[]): string {
  return list.reduce((changed, { change, at, pick }) => changes[change](changed, at, pick), text);
}

function choose<T>(list: readonly T[], pick: number): T {
  return list[pick % list.length] as T;
}

function scaled(at: number, count: number): number {
  return Math.floor((at * count) / SCALE);
}

function place(text: string, at: number): number {
  return scaled(at, text.length + 1);
}

/** A position before or behind something that delimits. */
function joint(text: string, at: number): number {
  const joints: number[] = [];
  for (const match of text.matchAll(/[\r\n:;, =]/g)) joints.push(match.index, match.index + 1);
  return joints[scaled(at, joints.length)] ?? 0;
}

function oddity(pick: number): string {
  return pick % 4 === 3 ? String.fromCharCode(Math.floor(pick / 4) % 256) : choose(ODD, Math.floor(pick / 4));
}

function splice(text: string, at: number, count: number, insert: string): string {
  return text.slice(0, at) + insert + text.slice(at + count);
}

function otherCase(letter: string): string {
  const upper = letter.toUpperCase();
  return letter === upper ? letter.toLowerCase() : upper;
}

function onLines(text: string, at: number, change: (lines: string[], index: number) => void): string {
  const lines = text.split('\r\n');
  change(lines, scaled(at, lines.length));
  return lines.join('\r\n');
}

function changeWord(text: string, at: number, pick: number): string {
  const present = WORDS.filter(([word]) => text.includes(word));
  if (present.length === 0) return text;
  const [word, others] = choose(present, pick);
  const places = [...text.matchAll(new RegExp(word, 'g'))].map(({ index }) => index);
  return splice(
    text,
    places[scaled(at, places.length)] as number,
    word.length,
    choose(others, Math.floor(pick / present.length)),
  );
}

function changeNumber(text: string, at: number, pick: number): string {
  const numbers = [...text.matchAll(/[0-9][0-9a-fA-F]*/g)];
  const match = numbers[scaled(at, numbers.length)];
  if (match === undefined) return text;
  const [digits] = match;
  const value = Number.parseInt(digits, 16);
  const others = [
    String(value + 1),
    String(Math.max(0, value - 1)),
    `0${digits}`,
    `0x${digits}`,
    `+${digits}`,
    `-${digits}`,
    `${digits}.0`,
    `${digits}_0`,
    `${digits}, ${digits}`,
    `${digits} `,
    `"${digits}"`,
    value.toString(16),
    '',
    `${2 ** 53}`,
    '18446744073709551616',
    'fffffffffffffffff',
    `10000000000000000${digits}`,
  ];
  return splice(text, match.index, digits.length, choose(others, pick));
}
