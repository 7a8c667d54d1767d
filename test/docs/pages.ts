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

/** What holds commands. */
export const COMMANDS = /^(?:sh|console)\b/;

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

/** The command lines of a block: all of `sh`, those behind `$ ` of `console`; a backslash joins the next line. */
export function linesOf({ info, text }: Block): string[] {
  const joined = text.replace(/ *\\\n\s*/g, ' ').split('\n');
  if (!info.startsWith('console')) return joined.filter((line) => line.trim() !== '');
  return joined.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
}

/** The block of a page whose first command begins so; throws where there is none. */
export function blockBeginning(path: string, command: string): Block {
  const found = blocksOfPage(path).find((block) => COMMANDS.test(block.info) && linesOf(block)[0]?.startsWith(command));
  if (found === undefined) throw new Error(`${path} has no block that begins with "${command}"`);
  return found;
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
