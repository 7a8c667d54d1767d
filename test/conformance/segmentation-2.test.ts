import { half, inPieces } from './harness/pieces-suite.ts';

inPieces(half(1));
