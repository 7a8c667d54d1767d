/** The command line, joined with what its commands start. Loaded once it is known that this Node can. */
import './first.ts';

import type { InspectCertificates } from './cli/check.ts';
import { runCli } from './cli/cli.ts';
import type { StartProxy } from './cli/running-proxy.ts';
import { flushTerminal, processTerminal } from './cli/terminal.ts';
import type { ScaleInputs } from './control/scale/scale-inputs.ts';
import { decideScale } from './control/scale/scaler.ts';

/** The inputs of an older journal may lack some, and have others. */
const decide = (inputs: object) => decideScale(inputs as ScaleInputs);

/** Most commands only ask a proxy that runs: what makes one up is loaded for those that need it. */
const start: StartProxy = async (...args) => (await import('./main.ts')).startProxy(...args);
const inspectCertificates: InspectCertificates = async (...args) =>
  (await import('./certificates/inspect.ts')).inspectCertificates(...args);

const code = await runCli(process.argv.slice(2), { start, decide, inspectCertificates }, processTerminal());
await flushTerminal();
process.exit(code);
