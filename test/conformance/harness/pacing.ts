import type { Socket } from 'node:net';

/** Positions at which a text is cut: each piece is written only when the one before had time to be read. */
export type Cuts = readonly number[];

/** One turn of the event loop: what was written before it is readable, in the same process, after it. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Writes a Latin-1 text in one piece, or in pieces that arrive apart. Resolves early when the socket is gone. */
export async function writePaced(socket: Socket, text: string, cuts: Cuts): Promise<void> {
  let from = 0;
  for (const cut of [...cuts, text.length]) {
    if (socket.destroyed || !socket.writable) return;
    socket.write(text.slice(from, cut), 'latin1');
    from = cut;
    if (cut === text.length) return;
    await turn();
    await turn();
  }
}

/** After every byte. */
export function everyByte(text: string): number[] {
  return everyBytes(text, 1);
}

/** After every so many bytes. */
export function everyBytes(text: string, step: number): number[] {
  return Array.from({ length: Math.max(0, Math.ceil(text.length / step) - 1) }, (_, index) => (index + 1) * step);
}

/** Offsets to cut a text in two at: all of a short one, else its beginning and end and an even sample between them. */
export function offsets(text: string, all: number): number[] {
  const every = everyByte(text);
  if (every.length <= all) return every;
  const step = Math.ceil(every.length / (all / 2));
  return every.filter((at) => at <= all / 4 || at >= text.length - all / 4 || at % step === 0);
}
