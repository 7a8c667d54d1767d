import type { AnswerLimits } from '../../model/settings.ts';

/** What answers may use where no service says: answers to probes, before there is an endpoint. */
export const PROBE_LIMITS: AnswerLimits = { head: 65_536, fields: 256, chunkExtensions: 16_384, trailers: 16_384 };
