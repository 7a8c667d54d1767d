import { conformance } from './harness/suite.ts';

conformance('header-rules');
