import { type BodyReader, BodyStep, type BodyStepKind } from '../http1/body.ts';

/** From so many pieces in one read on, small ones are joined: to send each by itself takes 2 µs. */
const MANY_PIECES = 64;
const SMALL_PIECE = 1024;

/** Where the pieces of a request's body go. */
export interface PieceTaker {
  /** The bytes of the read that brought the head have to be copied before `keep` returns. */
  onRequestBody(bytes: Buffer, start: number, end: number): void;
}

/** Who reads the body. */
export interface PieceReader {
  /** The request of the body is still being served. */
  readonly isServing: boolean;
}

/**
 * Hands out the pieces of a body that `chunk` holds from `body.at` on, until the reader serves the request no more.
 * Joins small pieces within `chunk`, over what framed them.
 * @returns the last step; undefined: the request is over
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
