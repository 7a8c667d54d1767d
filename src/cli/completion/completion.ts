import { PilotlightError } from '../../model/errors.ts';
import { shells } from '../commands.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const scripts = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** What a shell reads to complete command lines, made from the tables of commands. @throws USAGE */
export function completionScript(shell: string): string {
  const known = shells.find((each) => each === shell);
  if (known === undefined)
    throw new PilotlightError('USAGE', `no completion for "${shell}": it is one of ${shells.join(', ')}`);
  return scripts[known]();
}
