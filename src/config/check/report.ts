import type { z } from 'zod';
import { didYouMean } from '../../util/suggest.ts';
import { aboutOf, insteadOf, keysOf, schemaAt, valueTypeOf } from '../option/walk.ts';
import type { ConfigDocument, Entry, Position } from '../read/document.ts';
import type { Path } from '../read/path.ts';
import { formatPath } from '../read/path.ts';
import type { Problem } from './problem.ts';
import { sortProblems } from './problem.ts';

/** Collects what is wrong with one file. */
export interface Report {
  /** A problem at the first of these paths that is in the file; else near the first of them. */
  problem(paths: readonly Path[], message: string): void;
  /** The same, but the configuration may be used. */
  warning(paths: readonly Path[], message: string): void;
  /** What the schema says of the value at `base`. */
  issue(base: Path, issue: z.core.$ZodIssue): void;
  /** Keys of the section at `path` that it does not have. */
  unknownKeys(path: Path, keys: readonly string[]): void;
  /** A problem with the key at the end of a path. */
  keyProblem(path: Path, message: string): void;
  /** Whether the file itself says something there (not only its defaults). */
  given(path: Path): boolean;
  /** The same, where what it says is no empty text. */
  filled(path: Path): boolean;
  /** Whether the file has the key, and nothing behind it. */
  empty(path: Path): boolean;
  /** Whether something is wrong at or below a path. */
  broken(path: Path): boolean;
  /** Where a path stands in the file, or what is nearest around it. */
  place(path: Path): Position;
  problems(): Problem[];
  warnings(): Problem[];
}

/** The same option in `defaults`, for a path within a service. */
function inDefaults(path: Path): Path | undefined {
  return path[0] === 'services' && path.length > 2 ? ['defaults', ...path.slice(2)] : undefined;
}

/** How what stands there would have to be written to be of the other shape. */
function shapeHint({ kind, written }: Entry, expected: string): string {
  const glued = kind === 'text' ? /^([\w-]+):\S/.exec(written)?.[1] : undefined;
  if (expected !== 'array' && glued !== undefined) return `: a space belongs behind "${glued}:"`;
  if (expected !== 'array' && kind === 'list') return ': write "key: value" without "- "';
  if (expected === 'array' && kind === 'mapping') return ': put "- " before each item';
  return expected === 'array' && kind === 'text' ? ': put it in brackets, as in [a, b]' : '';
}

/** @param schema of the whole file */
export function createReport(file: string, document: ConfigDocument, schema: z.core.$ZodType): Report {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const brokenPaths: Path[] = [];
  /** The same as texts: looked through for each problem, thousands of them would take seconds. */
  const brokenTexts = new Set<string>();

  function markBroken(path: Path): void {
    brokenPaths.push(path);
    if (path.length > 0) brokenTexts.add(formatPath(path));
  }

  const make = (path: Path, position: Position, message: string): Problem => {
    return { file, ...position, path: formatPath(path), message };
  };

  /** A text at its value; a mapping or list at its key; what is missing at the nearest thing around it. */
  function positionOf(path: Path): Position {
    const entry = document.entry(path);
    if (entry === undefined) return path.length === 0 ? { line: 1, column: 1 } : positionOf(path.slice(0, -1));
    return entry.kind === 'text' ? entry.value : (entry.key ?? entry.value);
  }

  function locate(paths: readonly Path[]): { path: Path; position: Position } {
    const candidates = [...paths, ...paths.map(inDefaults).filter((path) => path !== undefined)];
    const path = candidates.find((candidate) => document.entry(candidate) !== undefined) ?? paths[0] ?? [];
    return { path, position: positionOf(path) };
  }

  function problem(paths: readonly Path[], message: string): void {
    const { path, position } = locate(paths);
    problems.push(make(path, position, message));
    markBroken(path);
  }

  /** `, found "x"`; a value that came from a variable is shown as it is written, a secret not at all. */
  function found(path: Path): string {
    const entry = document.entry(locate([path]).path);
    if (entry === undefined || entry.kind === 'nothing') return ', found nothing';
    if (entry.kind === 'text') return isSecret(path) ? '' : `, found ${JSON.stringify(entry.written)}`;
    if (entry.written === '') return `, found a ${entry.kind}`;
    return `, found a mapping: put a text with braces in quotes${isSecret(path) ? '' : `: "${entry.written}"`}`;
  }

  function isSecret(path: Path): boolean {
    return valueTypeOf(schemaAt(schema, path))?.secret === true;
  }

  function keyProblem(path: Path, message: string): void {
    const at = locate([path]).path;
    problems.push(make(at, document.entry(at)?.key ?? positionOf(at), message));
    markBroken(at);
  }

  function unknownKeys(path: Path, keys: readonly string[]): void {
    const section = schemaAt(schema, path);
    const known = keysOf(section);
    for (const key of keys) {
      const instead = insteadOf(section, key);
      keyProblem([...path, key], `unknown key${instead === undefined ? didYouMean(key, known) : `: ${instead}`}`);
    }
  }

  function wrongShape(path: Path, expected: string): void {
    const shapes: Record<string, string> = { array: 'a list', object: 'a mapping', record: 'a mapping' };
    const entry = document.entry(locate([path]).path);
    if (entry === undefined) {
      problem([path], 'is missing');
      return;
    }
    const shorthand = aboutOf(schemaAt(schema, path))?.shorthand;
    const wanted = `${shorthand === undefined ? '' : `${shorthand} or `}${shapes[expected] ?? expected}`;
    const shown = entry.kind === 'text' ? 'text' : entry.kind === 'nothing' ? 'nothing' : `a ${entry.kind}`;
    problem([path], `expected ${wanted}, found ${shown}${shorthand === undefined ? shapeHint(entry, expected) : ''}`);
  }

  function issue(base: Path, raw: z.core.$ZodIssue): void {
    const path: Path = [...base, ...(raw.path as (string | number)[])];
    // What a variable should have filled in is missing for a reason that was already given.
    const said = locate([path]).path;
    if (brokenTexts.has(formatPath(said))) return;
    if (raw.code === 'unrecognized_keys') unknownKeys(path, raw.keys);
    else if (raw.code === 'invalid_type') wrongShape(path, raw.expected);
    else if (raw.code === 'invalid_key') keyProblem(path, raw.issues[0]?.message ?? raw.message);
    else if (raw.code === 'custom' && raw.params?.['found'] === true)
      problem([path], raw.message + found(path) + (raw.params['hint'] ?? ''));
    else problem([path], raw.message);
  }

  for (const finding of document.findings) {
    const { instead } = finding;
    // What is said of a path that the schema does not know may be anything.
    const isShown =
      instead !== undefined && valueTypeOf(schemaAt(schema, finding.path)) !== undefined && !isSecret(finding.path);
    const message = isShown ? `${finding.message}: "${instead}"` : finding.message;
    problems.push(make(finding.path, finding.position, message));
    markBroken(finding.path);
  }

  function given(path: Path): boolean {
    const entry = document.entry(path);
    return entry !== undefined && entry.kind !== 'nothing';
  }

  return {
    problem,
    warning(paths, message) {
      const { path, position } = locate(paths);
      warnings.push(make(path, position, message));
    },
    issue,
    unknownKeys,
    keyProblem,
    given,
    filled: (path) => given(path) && document.entry(path)?.text !== '',
    empty: (path) => document.entry(path)?.kind === 'nothing',
    broken: (path) => brokenPaths.some((other) => path.every((step, index) => other[index] === step)),
    place: positionOf,
    problems: () => sortProblems(problems),
    warnings: () => sortProblems(warnings),
  };
}
