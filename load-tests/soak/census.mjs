// Loaded into the proxy's processes before the program: at SIGWINCH the process collects its garbage and writes what it
// still holds to CENSUS_FOLDER/PID.json.
import { renameSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGWINCH', () => {
  collect();
  collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  const timers = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const file = `${process.env.CENSUS_FOLDER}/${process.pid}.json`;
  writeFileSync(`${file}.new`, JSON.stringify({ rss, heap: heapUsed + external, timers }));
  renameSync(`${file}.new`, file);
});
