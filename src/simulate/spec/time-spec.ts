import { constant, exponential, logNormal, pareto, type ServiceTime, uniform } from '../service-time.ts';
import { TIME_FORMS } from './forms.ts';
import { expected, readDuration, readNumber } from './words.ts';

/**
 * Reads how long something takes: a duration (always the same), `exponential:MEAN`, `log-normal:MEDIAN:SIGMA`,
 * `pareto:LEAST:ALPHA:MOST` or `uniform:LEAST:MOST`. @throws USAGE
 */
export function readTime(text: string): ServiceTime {
  const [kind, ...rest] = text.split(':');
  const [first = '', second = '', third = ''] = rest;
  const is = (name: string, count: number) => kind === name && rest.length === count;
  if (rest.length === 0 && /^\d/.test(text)) return constant(readDuration(text));
  if (is('exponential', 1)) return exponential(readDuration(first));
  if (is('log-normal', 2)) return logNormal(readDuration(first), readNumber(second, 'a sigma such as 0.6'));
  if (is('uniform', 2)) {
    const least = readDuration(first);
    const most = readDuration(second);
    return least <= most ? uniform(least, most) : expected('a most that is no less than the least', text);
  }
  if (is('pareto', 3)) {
    const least = readDuration(first);
    const alpha = readNumber(second, 'an alpha such as 1.5');
    const most = readDuration(third);
    if (alpha === 0) expected('an alpha over 0', second);
    return least < most ? pareto(least, alpha, most) : expected('a most over the least', text);
  }
  return expected(`a time (${TIME_FORMS.join(', ')})`, text);
}
