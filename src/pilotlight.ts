#!/usr/bin/env node
/** The program as it is started: `program.ts`, once it is known that this Node can load it. */
import './first.ts';

await import('./program.ts');
