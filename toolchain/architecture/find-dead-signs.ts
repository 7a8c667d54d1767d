import { posix } from 'node:path';
import type { SourceFile } from './source.ts';

/** A place of the checkout in code type: `src/edge/io/`, `test/support/until.ts`. NAME, `*` and `…` stand for others. */
const PLACE = /`((?:src|test|docs|config|toolchain|load-tests)\/[^`\s]*)`/g;
/** A command of the checkout: `npm run -s NAME`. */
const SCRIPT = /\bnpm run (?:-s )?([a-z][a-z:-]*)/g;
const LINK = /\]\(([^)\s]+)\)/g;
const STANDS_FOR_OTHERS = /[*…{<]|\b[A-Z]{2,}\b/;

/** What only those have who wrote the program. */
const UNKNOWN = [
  /\bdesign(?:\.md)?\s+§/i,
  /\bthe\s+contract\s+(?:says|page|asks)/i,
  /\bguarantee\s+\d/i,
  /\bscenario\s+[A-Z]?\d/,
  /\bissue\s+#?\d/i,
];

/**
 * Where a document of the checkout leads nowhere: places that are not there, and links to files that are not.
 * @param documents Markdown
 * @param paths all files of the checkout, from its root
 */
export function findDeadSigns(documents: readonly SourceFile[], paths: readonly string[]): string[] {
  const there = new Set(paths.flatMap((path) => [path, ...foldersAbove(path)]));
  return documents.flatMap(({ path, text }) => {
    const places = [...text.matchAll(PLACE)].map(([, place]) => place as string);
    const named = places.filter((place) => !STANDS_FOR_OTHERS.test(place));
    const links = [...text.matchAll(LINK)]
      .map(([, target]) => (target as string).split('#')[0] as string)
      .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
      .map((target) => posix.join(posix.dirname(path), target));
    const dead = [...named, ...links].filter((target) => !there.has(target.replace(/\/$/, '')));
    return [...new Set(dead)].map((target) => `${path}: leads to ${target}, which is not there`);
  });
}

/**
 * Links to a part of a document that has no such heading.
 * @param documents Markdown, all of them
 */
export function findDeadAnchors(documents: readonly SourceFile[]): string[] {
  const anchors = new Map(documents.map(({ path, text }) => [path, anchorsOf(text)]));
  return documents.flatMap(({ path, text }) => {
    const targets = new Set([...text.matchAll(LINK)].map(([, target]) => target as string));
    return [...targets].flatMap((target) => {
      const [file = '', anchor] = target.split('#');
      if (anchor === undefined || /^[a-z]+:/.test(target)) return [];
      const there = anchors.get(file === '' ? path : posix.join(posix.dirname(path), file));
      return there === undefined || there.has(anchor) ? [] : [`${path}: leads to ${target}, a part that is not there`];
    });
  });
}

/** What headings are called in addresses, as GitHub makes it of them. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+)$/gm)) {
    const words = (heading as string).replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/**
 * Commands that documents quote and that cannot be run.
 * @param documents Markdown
 * @param scripts those of package.json
 */
export function findDeadScripts(documents: readonly SourceFile[], scripts: readonly string[]): string[] {
  return documents.flatMap(({ path, text }) => {
    const named = [...text.matchAll(SCRIPT)].map(([, script]) => script as string);
    const dead = new Set(named.filter((script) => !scripts.includes(script)));
    return [...dead].map((script) => `${path}: npm run ${script}, which is no script of package.json`);
  });
}

/** Texts that refer to what a reader does not have. */
export function findUnknownReferences(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const match = UNKNOWN.map((pattern) => pattern.exec(line)?.[0]).find((found) => found !== undefined);
      return match === undefined ? [] : [`${path}:${index + 1}: refers to what a reader does not have: ${match}`];
    }),
  );
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
