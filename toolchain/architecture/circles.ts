import type { Graph } from './source.ts';

/**
 * The groups of files that lead to each other by imports: each file of a group reaches all others of it. Files of no
 * group stand in no circle.
 */
export function circlesIn(graph: Graph): string[][] {
  // Tarjan: a file that reaches no earlier one of the stack closes a group.
  const order = new Map<string, number>();
  const stack: string[] = [];
  const groups: string[][] = [];
  const nextOf = (file: string) => (graph.get(file) ?? []).filter((next) => graph.has(next));
  const visit = (file: string): number => {
    let low = order.size;
    order.set(file, low);
    stack.push(file);
    for (const next of nextOf(file)) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) as number);
    }
    if (low === order.get(file)) {
      const group = stack.splice(stack.indexOf(file));
      if (group.length > 1 || nextOf(file).includes(file)) groups.push(group.sort());
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return groups.sort((a, b) => b.length - a.length);
}

/** A shortest way from a file back to itself; empty where there is none. */
export function shortestCircle(graph: Graph, file: string): string[] {
  const cameFrom = new Map<string, string>();
  const queue = [file];
  for (const at of queue) {
    for (const next of graph.get(at) ?? []) {
      if (next === file) return wayTo(at, file, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      queue.push(next);
    }
  }
  return [];
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end];
  while (way[0] !== start) way.unshift(cameFrom.get(way[0] as string) as string);
  return way;
}
