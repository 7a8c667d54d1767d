import { makeCertificate, tlsMaterial } from '../support/certificates.ts';
import { conformanceOverTls } from './harness/suite.ts';

conformanceOverTls(tlsMaterial([makeCertificate()]));
