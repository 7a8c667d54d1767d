import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Seal } from '../../../src/control/cluster/seal.ts';

const SECRET = 'a-secret-of-many-characters';
const seal = new Seal(SECRET, 'edge');

test('what was sealed can be opened by who has the secret, and is sealed otherwise each time', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, name) => {
      const sealed = seal.seal(name, text);
      expect(new Seal(SECRET, 'edge').open(name, sealed)).toEqual({ text });
      expect(seal.seal(name, text)).not.toBe(sealed);
    }),
  );
});

test.each([
  ['another secret', new Seal('another-secret-of-many', 'edge'), 'a.pem'],
  ['another cluster', new Seal(SECRET, 'other'), 'a.pem'],
  ['another name', seal, 'b.pem'],
])('%s opens nothing', (_what, other, name) => {
  expect(other.open(name, seal.seal('a.pem', 'x'))).toEqual({ fault: 'secret' });
});

test('what was changed anywhere cannot be opened', () => {
  const sealed = seal.seal('a.pem', 'a key');
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.constantFrom('', 'A', 'B', '_'), (at, by) => {
      fc.pre(sealed[at] !== by);
      const changed = sealed.slice(0, at) + by + sealed.slice(at + 1);
      // The last character of base64 may carry bits that mean nothing.
      const isSame = Buffer.from(changed.slice(13), 'base64url').equals(Buffer.from(sealed.slice(13), 'base64url'));
      fc.pre(!isSame || changed.slice(0, 13) !== sealed.slice(0, 13));
      expect(seal.open('a.pem', changed)).toHaveProperty('fault');
    }),
  );
  expect(seal.open('a.pem', 'pilotlight-2:AAAA')).toEqual({ fault: 'version' });
  expect(seal.open('a.pem', 'pilotlight-1:AAAA')).toEqual({ fault: 'secret' });
});
