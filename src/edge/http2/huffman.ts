/**
 * Bits of the code of each byte, and of the end of a string, which is 256 (RFC 7541, appendix B). The code is canonical:
 * within one length, codes ascend with the bytes that they stand for, so that the lengths tell all of it.
 */
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28,
  28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6,
  5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23,
  22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22,
  23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26,
  20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27,
  27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27,
  27, 27, 27, 26, 30,
];

const END_OF_STRING = 256;
const LONGEST = 30;

/** What a step of the decoder holds, beside the state that it leads to in its lowest byte. */
const EMITS = 1 << 16;
const MAY_END = 1 << 17;
const FAILS = 1 << 18;

/**
 * The decoder as a machine: by state and four bits of input, the next state and at most one byte of output, as no code
 * is shorter than five bits. A state is a place within the tree of codes; 0 is its root.
 */
const STEPS = stepsOf(treeOf(LENGTHS));

/** A tree of codes: per inner node, where a 0 and a 1 lead: another one, or a byte as its complement. */
type Tree = [number, number][];

function treeOf(lengths: readonly number[]): Tree {
  const tree: Tree = [[0, 0]];
  let code = 0;
  for (let length = 1; length <= LONGEST; length++, code <<= 1) {
    for (let symbol = 0; symbol <= END_OF_STRING; symbol++) {
      if (lengths[symbol] === length) plant(tree, symbol, code++, length);
    }
  }
  return tree;
}

function plant(tree: Tree, symbol: number, code: number, length: number): void {
  let node = 0;
  for (let bit = length - 1; bit > 0; bit--) {
    const branch = (code >>> bit) & 1;
    const children = tree[node] as [number, number];
    if (children[branch] === 0) children[branch] = tree.push([0, 0]) - 1;
    node = children[branch] as number;
  }
  (tree[node] as [number, number])[code & 1] = ~symbol;
}

function stepsOf(tree: Tree): Int32Array {
  const padding = paddingOf(tree);
  const steps = new Int32Array(tree.length * 16);
  for (let state = 0; state < tree.length; state++) {
    for (let input = 0; input < 16; input++) steps[state * 16 + input] = stepOf(tree, state, input, padding);
  }
  return steps;
}

function stepOf(tree: Tree, state: number, input: number, padding: ReadonlySet<number>): number {
  let node = state;
  let out = 0;
  for (let bit = 3; bit >= 0; bit--) {
    const next = (tree[node] as [number, number])[(input >>> bit) & 1] as number;
    if (next >= 0) {
      node = next;
      continue;
    }
    if (~next === END_OF_STRING) return FAILS;
    out = EMITS | (~next << 8);
    node = 0;
  }
  return out | node | (padding.has(node) ? MAY_END : 0);
}

/** Where a string may end: behind a code, or within fewer than eight bits that are all 1 (RFC 7541 §5.2). */
function paddingOf(tree: Tree): ReadonlySet<number> {
  const nodes = new Set([0]);
  let node = 0;
  for (let bits = 1; bits < 8; bits++) {
    node = (tree[node] as [number, number])[1];
    nodes.add(node);
  }
  return nodes;
}

/** Most bytes that so many coded bytes come to. */
export function mostDecoded(size: number): number {
  return Math.ceil((size * 8) / 5);
}

/**
 * Decodes the bytes from `from` to `to` (RFC 7541 §5.2).
 * @param out has room for {@link mostDecoded} of them
 * @returns how many bytes they are; -1: they are no string
 */
export function decodeHuffman(bytes: Uint8Array, from: number, to: number, out: Uint8Array): number {
  let step = MAY_END;
  let size = 0;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    step = STEPS[((step & 0xff) << 4) | (byte >>> 4)] as number;
    if ((step & EMITS) !== 0) out[size++] = (step >>> 8) & 0xff;
    if ((step & FAILS) !== 0) return -1;
    step = STEPS[((step & 0xff) << 4) | (byte & 15)] as number;
    if ((step & EMITS) !== 0) out[size++] = (step >>> 8) & 0xff;
    if ((step & FAILS) !== 0) return -1;
  }
  return (step & MAY_END) === 0 ? -1 : size;
}
