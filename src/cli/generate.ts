/** Writes what packages install beside the program; `--check` says what is stale. Run by `npm run generate`. */
import { generate } from '../config/generate/generate.ts';
import { completionScript } from './completion/completion.ts';
import { versionText } from './help.ts';
import { manualPage } from './manual.ts';

await generate(
  {
    'packaging/man/pilotlight.1': manualPage(versionText()),
    'packaging/completions/pilotlight.bash': `${completionScript('bash')}\n`,
    'packaging/completions/_pilotlight': `${completionScript('zsh')}\n`,
    'packaging/completions/pilotlight.fish': `${completionScript('fish')}\n`,
  },
  process.argv,
);
