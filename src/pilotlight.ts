#!/usr/bin/env node
/** The program as it is started: `main.ts`, once it is known that this Node can load it. */
import './first.ts';

await import('./main.ts');
