import { conformance } from './harness/suite.ts';

conformance('chunk-grammar');
