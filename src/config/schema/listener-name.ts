import { text } from '../option/value-types.ts';

export function listenerName() {
  return text({ pattern: /^[a-z0-9][a-z0-9-]{0,62}$/, expected: 'a name of a-z, 0-9 and "-", at most 63 characters' });
}
