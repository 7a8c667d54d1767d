/** The command line, joined with what its commands start. Loaded once it is known that this Node can. */
import './first.ts';

import { inspectCertificates } from './certificates/inspect.ts';
import { runCli } from './cli/cli.ts';
import { flushTerminal, processTerminal } from './cli/terminal.ts';
import type { ScaleInputs } from './control/scale/scale-inputs.ts';
import { decideScale } from './control/scale/scaler.ts';
import { startProxy } from './main.ts';

/** The inputs of an older journal may lack some, and have others. */
const decide = (inputs: object) => decideScale(inputs as ScaleInputs);

const code = await runCli(process.argv.slice(2), { start: startProxy, decide, inspectCertificates }, processTerminal());
await flushTerminal();
process.exit(code);
