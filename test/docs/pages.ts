import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A page of the documentation. */
export interface Page {
  /** From the root. */
  path: string;
  text: string;
}

/** A fenced block of a page. */
export interface Block {
  /** `docs/tls.md:12`, the line of its fence. */
  place: string;
  /** What stands behind the fence: the language, and for YAML what part of a file it is. */
  info: string;
  text: string;
}

export const pages: readonly Page[] = globSync(['*.md', 'docs/**/*.md'], { cwd: ROOT })
  .sort()
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

export const blocks: readonly Block[] = pages.flatMap(blocksOf);

/** The blocks whose language is one of these. */
export function blocksIn(...languages: string[]): Block[] {
  return blocks.filter(({ info }) => languages.includes(info.split(' ')[0] as string));
}

/** Those of one page, in order. */
export function blocksOfPage(path: string): Block[] {
  return blocks.filter(({ place }) => place.startsWith(`${path}:`));
}

function blocksOf({ path, text }: Page): Block[] {
  const found: Block[] = [];
  let open: (Block & { lines: string[] }) | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const fence = /^\s*```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === undefined) {
      open = { place: `${path}:${index + 1}`, info: (fence[1] as string).trim(), text: '', lines: [] };
    } else {
      found.push({ place: open.place, info: open.info, text: `${open.lines.join('\n')}\n` });
      open = undefined;
    }
  }
  if (open !== undefined) throw new Error(`${open.place}: the block does not end`);
  return found;
}

/** What stands in code type within the text of a page, blocks left out, with its line. */
export function codeIn({ path, text }: Page): { place: string; code: string }[] {
  let isBlock = false;
  return text.split('\n').flatMap((line, index) => {
    const isFence = /^\s*```/.test(line);
    if (isFence) isBlock = !isBlock;
    if (isFence || isBlock) return [];
    return [...line.matchAll(/`([^`]+)`/g)].map(([, code]) => ({
      place: `${path}:${index + 1}`,
      code: code as string,
    }));
  });
}
