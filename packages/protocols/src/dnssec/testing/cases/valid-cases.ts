import { TYPE } from '../../../dns/codes.ts'
import {
  alice,
  nsec3,
  OWNER,
  VALUE,
  VALUE_TEXT,
  type ValidationCase,
  withKey,
  withShop,
} from '../crafted-case.ts'
import { makeWorld, NOW, tampered, text } from '../signed-world.ts'
import { testKey } from '../test-keys.ts'

export const VALID: readonly ValidationCase[] = [
  { title: 'a signed TXT', world: withShop({}), expected: VALUE },
  {
    title: 'a name asked in mixed case',
    world: withShop({}),
    name: 'ALICE.User._BITCOIN-payment.Shop.TEST',
    expected: VALUE,
  },
  {
    title: 'owner names answered in mixed case',
    world: tampered(withShop({}), ({ answer }) => {
      for (const record of answer) if (record.type === TYPE.TXT) record.name = record.name.toUpperCase()
      for (const record of answer) if (record.type === TYPE.RRSIG) record.name = record.name.toUpperCase()
    }),
    expected: VALUE,
  },
  { title: 'RSA 2048 with SHA-256 (algorithm 8)', world: withKey('rsa-2048'), expected: VALUE },
  { title: 'RSA 1024 with SHA-256', world: withKey('rsa-1024'), expected: VALUE },
  { title: 'P-384 (algorithm 14)', world: withKey('p384'), expected: VALUE },
  { title: 'Ed25519 (algorithm 15)', world: withKey('ed25519'), expected: VALUE },
  { title: 'a DS with a SHA-384 digest', world: withShop({ ds: 4 }), expected: VALUE },
  { title: 'a DS with a SHA-1 digest', world: withShop({ ds: 1 }), expected: VALUE },
  { title: 'a zone with NSEC3', world: withShop({ denial: nsec3 }), expected: VALUE },
  {
    title: 'two keys, each signing',
    world: withShop({ keys: [testKey('p256', '1'), testKey('ed25519', '2')] }),
    expected: VALUE,
  },
  {
    title: 'one TXT in many strings, joined in their order',
    world: withShop({ data: (add) => add(OWNER, TYPE.TXT, text(...VALUE_TEXT)) }),
    expected: VALUE,
  },
  {
    title: 'two TXT at one name come back as two values',
    world: withShop({ data: (add) => add(OWNER, TYPE.TXT, text('bitcoin:?lno=a'), text('bitcoin:?lno=b')) }),
    expected: 'secure bitcoin:?lno=a | bitcoin:?lno=b',
  },
  {
    title: 'a zone whose parent label is no zone cut',
    world: makeWorld([{ apex: '.' }, { apex: 'shop.test.', data: alice }]),
    expected: VALUE,
  },
  {
    title: 'a TXT at the apex of a zone',
    world: withShop({ data: (add) => add('', TYPE.TXT, text('bitcoin:apex')) }),
    name: 'shop.test.',
    expected: 'secure bitcoin:apex',
  },
  {
    title: 'the first second of a signature',
    world: withShop({ inception: NOW }),
    expected: VALUE,
  },
  {
    title: 'the last second of a signature',
    world: withShop({ expiration: NOW }),
    expected: VALUE,
    unasked: 'they know no other time than now',
  },
]
