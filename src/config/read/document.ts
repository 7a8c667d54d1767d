import type { Document, Pair, ParsedNode, YAMLMap } from 'yaml';
import { isAlias, isCollection, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import type { Mapping } from './mapping.ts';
import type { Path } from './path.ts';
import type { Env } from './substitute.ts';
import { maskReferences, substitute, unmaskReferences } from './substitute.ts';
import { markBefore, markedWord, markMessage, syntaxMessage } from './yaml-messages.ts';

/** From 1. */
export interface Position {
  line: number;
  column: number;
  /** Another file than the one that is read: one that it includes. */
  file?: string;
}

/** What stands at one path of the file. */
export interface Entry {
  kind: 'mapping' | 'list' | 'text' | 'nothing';
  /** Where its value begins. */
  value: Position;
  /** Where its key begins; undefined for list items and the whole file. */
  key: Position | undefined;
  /** A text as it was written, before variables were filled in; `{port}` where braces made a mapping of a word. */
  written: string;
  /** A text with its variables filled in; undefined for all else. */
  text?: string;
}

export interface Finding {
  path: Path;
  position: Position;
  message: string;
  /** As it could be written instead; not to be shown where it may be a secret. */
  instead?: string;
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
export function readDocument(text: string, env: Env): ConfigDocument {
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
  const complain = (path: Path, offset: number, message: string, instead?: string): void => {
    findings.push({ path, position: positionAt(offset), message, ...(instead === undefined ? {} : { instead }) });
  };
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
      if (isMap(node)) entry.written = bracedWord(node);
      open.add(node);
      const collection = isMap(node)
        ? readMapping(node, path)
        : node.items.map((item, index) => read(item as ParsedNode, [...path, index], undefined));
      open.delete(node);
      return collection;
    }
    if (!isScalar(node)) return null;
    const written = unmaskReferences(String(node.value));
    const plain = node.type === 'PLAIN' || node.type === undefined;
    const mark = node.anchor ? '&' : node.tag ? '!' : undefined;
    if (plain && written === '' && mark !== undefined) {
      const at = markBefore(text, mark, node.range[0]);
      complain(path, at, markMessage(mark), markedWord(text, at));
      return null;
    }
    if (plain && NULLS.has(written)) return null;
    entry.kind = 'text';
    entry.written = written;
    const filled = substitute(written, env);
    entry.text = filled.text;
    for (const message of filled.faults) findings.push({ path, position: value, message });
    return filled.text;
  }

  function readAlias(
    target: ParsedNode | undefined,
    alias: ParsedNode,
    path: Path,
    key: Position | undefined,
  ): unknown {
    if (!mayRepeat(target, alias, path)) return null;
    aliases++;
    const value = read(target, path, key);
    aliases--;
    return value;
  }

  /** Whether what an alias stands for may be read once more. */
  function mayRepeat(target: ParsedNode | undefined, alias: ParsedNode, path: Path): target is ParsedNode {
    const at = alias.range[0];
    if (target === undefined)
      complain(path, at, markMessage('*', ', and no anchor has this name'), markedWord(text, at));
    else if (open.has(target)) complain(path, at, 'an anchor may not contain itself');
    else if (repeated < MAX_REPEATED && path.length <= MAX_DEPTH) return true;
    else {
      if (repeated !== Number.POSITIVE_INFINITY) complain(path, at, 'aliases repeat too much');
      repeated = Number.POSITIVE_INFINITY;
    }
    return false;
  }

  function readMapping(node: YAMLMap.Parsed, path: Path): Mapping {
    const mapping: Mapping = Object.create(null);
    const firstLine = new Map<string, number>();
    const merges: Pair<ParsedNode, ParsedNode | null>[] = [];
    for (const item of node.items) {
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
        if (isMerge(item)) merges.push(item);
        else mapping[name] = read(item.value, inner, position);
      }
    }
    // What stands in the mapping itself holds, wherever the merge stands in it.
    for (const { key, value } of merges) mergeInto(mapping, value ?? key, path);
    return mapping;
  }

  /** Adds the keys of what `<<` names that the mapping does not have; of a list, the earlier ones hold. */
  function mergeInto(mapping: Mapping, node: ParsedNode, path: Path): void {
    if (isAlias(node)) {
      const target = targets.get(node);
      if (!mayRepeat(target, node, [...path, '<<'])) return;
      aliases++;
      open.add(target);
      mergeInto(mapping, target, path);
      open.delete(target);
      aliases--;
    } else if (isSeq(node)) {
      for (const item of node.items) mergeInto(mapping, item as ParsedNode, path);
    } else if (isMap(node)) {
      // Also of keys that are there already: going through them takes its time.
      repeated += node.items.length;
      const merged = node.items.filter((item) => !isMerge(item));
      for (const { key, value } of merged) {
        const name = isScalar(key) ? unmaskReferences(String(key.value)) : '__proto__';
        // What cannot be a key is said where the mapping itself stands.
        if (name === '__proto__' || Object.hasOwn(mapping, name)) continue;
        mapping[name] = read(value, [...path, name], positionAt(key.range[0]));
      }
      for (const { key, value } of node.items.filter(isMerge)) mergeInto(mapping, value ?? key, path);
    } else {
      complain(
        [...path, '<<'],
        node.range[0],
        '"<<" takes a mapping, such as *web where &web names one, or a list of them',
      );
    }
  }

  // The first only: what a parser says after an error is mostly about the error.
  const error = [...parsed.errors, ...parsed.warnings][0];
  if (error !== undefined) {
    const [at] = error.pos;
    findings.push({ path: [], position: positionAt(at), message: syntaxMessage(error.code, error.message, text, at) });
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

/** YAML's merge key, which is written without quotes. */
function isMerge({ key }: Pair<ParsedNode, ParsedNode | null>): boolean {
  return isScalar(key) && key.value === '<<' && key.type === 'PLAIN';
}

/** `{port}`: a mapping of one key without a value, in braces; else empty. */
function bracedWord({ flow, items }: YAMLMap.Parsed): string {
  const [first, second] = items;
  const key = first?.key;
  const isWord = flow === true && second === undefined && isScalar(key) && isEmpty(first?.value);
  return isWord ? `{${unmaskReferences(String(key.value))}}` : '';
}

function isEmpty(node: ParsedNode | null | undefined): boolean {
  return node === null || node === undefined || (isScalar(node) && node.value === '' && node.type === 'PLAIN');
}
