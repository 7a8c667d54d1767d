import { conformance } from './harness/suite.ts';

conformance('transfer-encoding');
