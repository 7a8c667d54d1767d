import type { Ailment, AppModel } from '../app-model.ts';
import { expected, readCount, readDuration } from './words.ts';

/** Reads when replicas end by themselves, and which: `TIME[:every:N][:first:N]`. @throws USAGE */
export function readCrash(text: string): Ailment {
  return readAilment(text.split(':'), 'a crash such as crash:30s, crash:30s:every:3 or crash:30s:first:1', text);
}

/**
 * Reads when replicas get sick, which, and what they answer then: `TIME[:errors|:nothing][:every:N][:first:N]`.
 * @throws USAGE
 */
export function readSickness(text: string): NonNullable<AppModel['sick']> {
  const words = text.split(':');
  const answers = words[1] === 'nothing' ? 'nothing' : 'errors';
  if (words[1] === answers) words.splice(1, 1);
  const wanted = 'a sickness such as sick:1m, sick:1m:nothing or sick:1m:errors:first:1';
  return { ...readAilment(words, wanted, text), answers };
}

function readAilment([after = '', ...words]: readonly string[], wanted: string, text: string): Ailment {
  const found: Ailment = { afterMs: readDuration(after) };
  for (let index = 0; index < words.length; index += 2) {
    const [which, count] = [words[index], words[index + 1]];
    if ((which !== 'every' && which !== 'first') || count === undefined || found[which] !== undefined) {
      return expected(wanted, text);
    }
    found[which] = readCount(count, `a number of replicas after "${which}"`);
  }
  return found;
}
