import { conformance } from './harness/suite.ts';

conformance('routing');
