// Loaded into a process before its program: at SIGWINCH it collects the garbage of young memory, then all of it, and
// writes to PROBE_FILE how many bytes of garbage the first had left.
import { renameSync, writeFileSync } from 'node:fs';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

process.on('SIGWINCH', () => {
  // What survives twice is never young again.
  collect({ type: 'minor' });
  collect({ type: 'minor' });
  const before = getHeapStatistics().used_heap_size;
  collect();
  collect();
  const left = before - getHeapStatistics().used_heap_size;
  const file = process.env.PROBE_FILE;
  writeFileSync(`${file}.new`, JSON.stringify({ left }));
  renameSync(`${file}.new`, file);
});
