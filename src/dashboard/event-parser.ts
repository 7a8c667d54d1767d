/** One message of a stream of server-sent events. */
export interface StreamMessage {
  type: string;
  data: string;
}

/** Longest that a message may be, characters: a state of some ten thousand services. */
const LONGEST = 64 * 1024 * 1024;

/** Makes messages out of pieces of a stream (text/event-stream), wherever it was cut. */
export class EventParser {
  #pieces: string[] = [];
  #length = 0;

  /** The messages that are whole with this piece. @throws where one is longer than any may be */
  take(piece: string): StreamMessage[] {
    if (piece === '') return [];
    this.#pieces.push(piece);
    this.#length += piece.length;
    // The end may be cut in two.
    const isEnd = piece.includes('\n\n') || (piece.startsWith('\n') && this.#pieces.at(-2)?.endsWith('\n') === true);
    if (!isEnd) {
      if (this.#length > LONGEST) throw new Error('the stream sends a message without end');
      return [];
    }
    const blocks = this.#pieces.join('').split('\n\n');
    const rest = blocks.pop() ?? '';
    this.#pieces = [rest];
    this.#length = rest.length;
    return blocks.map(read).filter((message) => message !== undefined);
  }
}

/** Undefined: a comment, which only keeps the stream alive. */
function read(block: string): StreamMessage | undefined {
  let type = 'message';
  const data: string[] = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event: ')) type = line.slice('event: '.length);
    else if (line.startsWith('data: ')) data.push(line.slice('data: '.length));
  }
  return data.length === 0 ? undefined : { type, data: data.join('\n') };
}
