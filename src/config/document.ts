import type { Document, Pair, ParsedNode, YAMLError } from 'yaml';
import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Path } from './problem.ts';
import { maskReferences, substitute, unmaskReferences } from './substitute.ts';

/** From 1. */
export interface Position {
  line: number;
  column: number;
}

/** What stands at one path of the file. */
export interface Entry {
  kind: 'mapping' | 'list' | 'text' | 'nothing';
  /** Where its value begins. */
  value: Position;
  /** Where its key begins; undefined for list items and the whole file. */
  key: Position | undefined;
  /** A text as it was written, before variables were filled in. */
  written: string;
}

export interface Finding {
  path: Path;
  position: Position;
  message: string;
}

/** A YAML file, read. */
export interface ConfigDocument {
  /**
   * Mappings as objects without prototype, lists as arrays, every scalar as its text (`8080` is `"8080"`: what it means
   * is the schema's to say, so that `1.10` stays `1.10` where a text is wanted), empty and `null` as null.
   */
  value: unknown;
  /** Whether the syntax is right; if not, `value` is not to be used. */
  wellFormed: boolean;
  findings: Finding[];
  /** What stands at a path; undefined when nothing does. */
  entry(path: Path): Entry | undefined;
}

/**
 * Most values that aliases may repeat: of 10,000 services twenty each. A few lines of anchors that repeat each other
 * could otherwise mean more than any memory holds.
 */
const MAX_REPEATED = 200_000;
/** Deepest place of an alias: what is nested without any, the parser bounds. */
const MAX_DEPTH = 200;

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);

/** Parses YAML 1.2 text, fills in variables in its scalar values, and remembers where everything stands. */
export function readDocument(text: string, env: Record<string, string | undefined>): ConfigDocument {
  const lines = new LineCounter();
  const parsed = parseDocument(maskReferences(text), {
    lineCounter: lines,
    schema: 'failsafe',
    prettyErrors: false,
    uniqueKeys: false,
    stringKeys: true,
  });
  const entries = new Map<string, Entry>();
  const findings: Finding[] = [];
  const targets = aliasTargets(parsed);
  const open = new Set<ParsedNode>();
  /** Aliases around what is being read, and values read within any so far. */
  let aliases = 0;
  let repeated = 0;

  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };

  function read(node: ParsedNode | null, path: Path, key: Position | undefined): unknown {
    if (isAlias(node)) return readAlias(targets.get(node), node, path, key);
    if (aliases > 0) repeated++;
    const value = node === null ? (key ?? { line: 1, column: 1 }) : positionAt(node.range[0]);
    const entry: Entry = { kind: 'nothing', value, key, written: '' };
    entries.set(keyOf(path), entry);
    if (isMap(node) || isSeq(node)) {
      entry.kind = isMap(node) ? 'mapping' : 'list';
      open.add(node);
      const collection = isMap(node)
        ? readMapping(node.items as Pair<ParsedNode, ParsedNode | null>[], path)
        : node.items.map((item, index) => read(item as ParsedNode, [...path, index], undefined));
      open.delete(node);
      return collection;
    }
    if (!isScalar(node)) return null;
    const written = unmaskReferences(String(node.value));
    const plain = node.type === 'PLAIN' || node.type === undefined;
    if (plain && NULLS.has(written)) return null;
    entry.kind = 'text';
    entry.written = written;
    const filled = substitute(written, env);
    for (const message of filled.faults) findings.push({ path, position: value, message });
    return filled.text;
  }

  function readAlias(
    target: ParsedNode | undefined,
    alias: ParsedNode,
    path: Path,
    key: Position | undefined,
  ): unknown {
    if (target === undefined || open.has(target)) {
      const message = target === undefined ? 'no such anchor' : 'an anchor may not contain itself';
      findings.push({ path, position: positionAt(alias.range[0]), message });
      return null;
    }
    if (repeated >= MAX_REPEATED || path.length > MAX_DEPTH) {
      if (repeated !== Number.POSITIVE_INFINITY)
        findings.push({ path, position: positionAt(alias.range[0]), message: 'aliases repeat too much' });
      repeated = Number.POSITIVE_INFINITY;
      return null;
    }
    aliases++;
    const value = read(target, path, key);
    aliases--;
    return value;
  }

  function readMapping(items: Pair<ParsedNode, ParsedNode | null>[], path: Path): unknown {
    const mapping: Record<string, unknown> = Object.create(null);
    const firstLine = new Map<string, number>();
    for (const item of items) {
      const name = isScalar(item.key) ? unmaskReferences(String(item.key.value)) : '';
      const position = positionAt(item.key.range[0]);
      const inner = [...path, name];
      const before = firstLine.get(name);
      if (name === '__proto__' || !isScalar(item.key)) {
        findings.push({ path, position, message: 'this cannot be a key' });
      } else if (before !== undefined) {
        findings.push({ path: inner, position, message: `the key is already set on line ${before}` });
      } else {
        firstLine.set(name, position.line);
        mapping[name] = read(item.value, inner, position);
      }
    }
    return mapping;
  }

  // The first only: what a parser says after an error is mostly about the error.
  const error = [...parsed.errors, ...parsed.warnings][0];
  if (error !== undefined) {
    findings.push({ path: [], position: positionAt(error.pos[0]), message: syntaxMessage(error) });
  }
  const wellFormed = error === undefined;
  const value = wellFormed ? read(parsed.contents, [], undefined) : undefined;
  return { value, wellFormed, findings, entry: (path) => entries.get(keyOf(path)) };
}

/**
 * What each alias stands for: the last node before it with that anchor. In one pass, where the parser's own answer takes
 * one for each alias: 2,500 in a file of 200 KiB took half a minute.
 */
function aliasTargets(parsed: Document.Parsed): Map<ParsedNode, ParsedNode | undefined> {
  const targets = new Map<ParsedNode, ParsedNode | undefined>();
  const anchors = new Map<string, ParsedNode>();
  visit(parsed, {
    Node: (_, node) => {
      if (isAlias(node)) targets.set(node as ParsedNode, anchors.get(node.source));
      else if ((isScalar(node) || isCollection(node)) && node.anchor) anchors.set(node.anchor, node as ParsedNode);
    },
  });
  return targets;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

/** The parser's message without the piece of the file that some end with: it could be a secret. */
function syntaxMessage(error: YAMLError): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a configuration is one YAML document: "---" may not divide it';
  const message = (error.message.split('\n', 1)[0] ?? '').replace(/: .*$/, '');
  return `YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
