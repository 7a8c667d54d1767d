import { type BodyReader, BodyStep, type BodyStepKind } from '../http1/body.ts';

/** Pieces of a body in one read from which on small ones are joined: to send each by itself takes 2 µs. */
const MANY_PIECES = 64;
const SMALL_PIECE = 1024;

/** Where the pieces of a request's body go. */
export interface PieceTaker {
  /** The bytes may be kept, but not behind the `keepBody` of the read that brought the head. */
  onRequestBody(bytes: Buffer, start: number, end: number): void;
}

/** Who reads the body. */
export interface PieceReader {
  /** The request of the body is still being served. */
  readonly isServing: boolean;
}

/**
 * Hands out what `chunk`, from `body.at` on, holds of a body, and stops where the reader serves its request no more.
 * Small pieces are joined, in the place of what framed them: `chunk` is changed.
 * @returns how that ended; undefined: the request is over
 */
export function takePieces(
  body: BodyReader,
  chunk: Buffer,
  taker: PieceTaker,
  reader: PieceReader,
): BodyStepKind | undefined {
  let pieces = 0;
  let joined = 0;
  let joinedEnd = 0;
  for (;;) {
    const step = body.next(chunk, chunk.length);
    if (step === BodyStep.DATA && ++pieces > MANY_PIECES && body.dataEnd - body.dataStart <= SMALL_PIECE) {
      if (joinedEnd === joined) {
        joined = body.dataStart;
        joinedEnd = body.dataEnd;
      } else {
        chunk.copyWithin(joinedEnd, body.dataStart, body.dataEnd);
        joinedEnd += body.dataEnd - body.dataStart;
      }
      continue;
    }
    if (joinedEnd > joined) {
      taker.onRequestBody(chunk, joined, joinedEnd);
      if (!reader.isServing) return undefined;
      joinedEnd = joined;
    }
    if (step !== BodyStep.DATA) return step;
    taker.onRequestBody(chunk, body.dataStart, body.dataEnd);
    if (!reader.isServing) return undefined;
  }
}
