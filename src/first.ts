/** What a process does before it loads the rest, which takes a while and which an old Node cannot do. */
import { holdSignals } from './util/early-signals.ts';
import { nodeRefusal } from './util/supported-node.ts';
import { leaveUndiciOut } from './util/without-undici.ts';

const refusal = nodeRefusal(process.versions.node);
if (refusal !== undefined) {
  process.stderr.write(`pilotlight: ${refusal}\n`);
  process.exit(1);
}
holdSignals();
leaveUndiciOut();
