import { conformance } from './harness/suite.ts';

conformance('forwarding');
