import { parseConfig } from './parse.ts';
import type { ParseTask } from './parse-apart.ts';

process.once('message', (task) => {
  const { text, file, env, included } = task as ParseTask;
  // Whoever asked may have ended meanwhile: then nobody is left to be told.
  process.send?.(parseConfig(text, file, env, included), undefined, undefined, () => {});
});
