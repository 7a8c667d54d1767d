import { posix } from 'node:path';

/** A file of the checkout: its path from the root, with slashes, and its text. */
export interface SourceFile {
  path: string;
  text: string;
}

/** What a file imports, types included. */
export interface Import {
  /** As it is written: `./clock.ts`, `node:net`, `yaml`. */
  specifier: string;
  /** The path from the root that a relative one leads to; undefined for a package. */
  path: string | undefined;
  /** Nothing of it is there when the program runs. */
  isType: boolean;
}

/** File → the files that it imports, types included, each once. */
export type Graph = ReadonlyMap<string, readonly string[]>;

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s[^'";]*?from\s*'([^']+)'|(?:^|[^.\w])import\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s*'([^']+)'/g;

/** All that a file imports or exports from elsewhere, in the order of the text. */
export function importsOf({ path, text }: SourceFile): Import[] {
  return [...text.matchAll(IMPORT)].map((match) => {
    const specifier = (match[1] ?? match[2] ?? match[3]) as string;
    const leads = specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : undefined;
    return { specifier, path: leads, isType: /^\s*(?:import|export)\s+type\s/.test(match[0]) };
  });
}

/** Who imports whom among these files. */
export function graphOf(files: readonly SourceFile[]): Graph {
  const known = new Set(files.map(({ path }) => path));
  return new Map(
    files.map((file) => {
      const targets = importsOf(file).map(({ path }) => path);
      return [file.path, [...new Set(targets)].filter((path): path is string => path !== undefined && known.has(path))];
    }),
  );
}

/** Lines of a text, as `wc -l` counts them. */
export function linesOf(text: string): number {
  return text.split('\n').length - 1;
}
