import type { AnswerLimits } from '../../model/settings.ts';
import { type Exactly, option, section } from '../option/option.ts';
import { integer, size } from '../option/value-types.ts';

/** `services.<name>.limits`. */
export const answerLimitsSchema = section(
  {
    head: option(
      size(256, '256B'),
      '64KiB',
      'Bytes of the head of an answer; beyond it 502. With `engine: http-proxy` never more than the default.',
    ),
    fields: option(integer('fields', 1, 10_000), '256', 'Header fields of an answer; beyond it 502.'),
    chunkExtensions: option(
      size(),
      '16KiB',
      'Bytes of chunk extensions in one answer; beyond it the answer is broken off.',
    ),
    trailers: option(
      size(2, '2B'),
      '16KiB',
      'Bytes of trailers behind one answer, which are 64 fields at most; beyond it the answer is broken off.',
    ),
  },
  'What answers of the replicas may use. What requests may is `listen[].limits`.',
) satisfies Exactly<AnswerLimits>;
