import { conformance } from './harness/suite.ts';

conformance('proxy-protocol');
