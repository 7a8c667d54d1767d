import { circlesIn } from './circles.ts';
import { type Graph, graphOf, linesOf, type SourceFile } from './source.ts';

/** Lines from which a file is listed. */
const LONG = 400;

/**
 * How the sources lie, as lines to print: files and lines per folder, two levels deep; long files; circles; and the
 * longest chain of imports.
 */
export function describeFigures(sources: readonly SourceFile[]): string[] {
  const graph = graphOf(sources);
  const long = sources.filter(({ text }) => linesOf(text) > LONG).map(({ path, text }) => `${path} ${linesOf(text)}`);
  return [
    ...foldersOf(sources),
    `over ${LONG} lines: ${long.length}${long.length === 0 ? '' : ` (${long.join(', ')})`}`,
    `median length: ${medianLength(sources)} lines`,
    ...['src', 'src/edge', 'src/control'].map((folder) => `circles in ${folder}: ${describeCircles(graph, folder)}`),
    `longest chain of imports: ${longestChain(graph)} files`,
  ];
}

function foldersOf(sources: readonly SourceFile[]): string[] {
  const counts = new Map<string, { files: number; lines: number }>();
  for (const { path, text } of sources) {
    const parts = path.split('/').slice(0, -1);
    const folders = [...new Set([1, 2, 3].map((depth) => parts.slice(0, depth).join('/')))];
    for (const folder of folders) {
      const count = counts.get(folder) ?? { files: 0, lines: 0 };
      counts.set(folder, { files: count.files + 1, lines: count.lines + linesOf(text) });
    }
  }
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([folder, { files, lines }]) => `${folder}: ${files} files, ${lines} lines`);
}

function medianLength(sources: readonly SourceFile[]): number {
  const lengths = sources.map(({ text }) => linesOf(text)).sort((a, b) => a - b);
  return lengths[lengths.length >> 1] ?? 0;
}

function describeCircles(graph: Graph, folder: string): string {
  const inside = [...graph].filter(([file]) => file.startsWith(`${folder}/`));
  const groups = circlesIn(new Map(inside));
  const sizes = groups.map((group) => group.length);
  const files = sizes.reduce((sum, size) => sum + size, 0);
  return groups.length === 0 ? 'none' : `${groups.length} groups of ${sizes.join(', ')} files, ${files} files in all`;
}

/** Files of the longest chain of imports; those that stand in circles together count all, in no order. */
export function longestChain(graph: Graph): number {
  const groups = circlesIn(graph);
  const groupOf = new Map(groups.flatMap((group) => group.map((file): [string, string[]] => [file, group])));
  const known = new Map<string[], number>();
  const alone = new Map([...graph.keys()].map((file): [string, string[]] => [file, [file]]));
  const members = (file: string): string[] => groupOf.get(file) ?? (alone.get(file) as string[]);
  const length = (group: string[]): number => {
    const before = known.get(group);
    if (before !== undefined) return before;
    const nexts = group.flatMap((file) => graph.get(file) ?? []).map(members);
    const longest = Math.max(0, ...nexts.filter((next) => next !== group).map(length));
    known.set(group, group.length + longest);
    return group.length + longest;
  };
  return Math.max(0, ...[...graph.keys()].map((file) => length(members(file))));
}
