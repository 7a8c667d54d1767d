const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n[\s\S]*?\r?\n-----END \1-----/g;

/** What a PEM file holds, each as a block of its own. */
export interface Pem {
  certificates: string[];
  keys: string[];
  /** Revocation lists. */
  crls: string[];
}

/** Takes a PEM text apart; what is none of these is passed over. */
export function readPem(text: string): Pem {
  const pem: Pem = { certificates: [], keys: [], crls: [] };
  for (const [block, label = ''] of text.matchAll(BLOCK)) {
    if (label === 'CERTIFICATE' || label === 'X509 CERTIFICATE') pem.certificates.push(block);
    else if (label.endsWith('PRIVATE KEY')) pem.keys.push(block);
    else if (label === 'X509 CRL') pem.crls.push(block);
  }
  return pem;
}

/** Whether a private key's block needs a passphrase: PKCS #8 says so in its label, older ones in a line. */
export function isEncrypted(key: string): boolean {
  return key.includes('BEGIN ENCRYPTED') || /^Proc-Type: 4,ENCRYPTED/m.test(key);
}
