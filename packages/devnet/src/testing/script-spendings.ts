import { OP } from '../chain/script/opcodes.ts'
import { assembleScript } from './lightning-scripts.ts'
import { testKey } from './spender.ts'
import { SCRIPT_REFUSED, type Spending } from './spending.ts'

const EMPTY = new Uint8Array()
const ONE = Uint8Array.of(1)
const [alice, bob] = [testKey('alice'), testKey('bob')]
const preimage = new Uint8Array(32).fill(7)

/** Knots recognises some malformed scripts before it runs them, and words that differently. */
const REFUSED_SOMEHOW = /./

/** What signatures and scripts must be like, whatever they are for. */
export function scriptSpendings(): readonly Spending[] {
  return [...wrongSignatures(), ...oddScripts()]
}

function wrongSignatures(): Spending[] {
  const script = assembleScript(alice.publicKey, OP.CHECKSIG)
  const spoil = (rule: string, change: (signature: Uint8Array) => Uint8Array): Spending => ({
    rule,
    script,
    witness: (sign) => [change(sign(alice, script)), script],
    refusal: SCRIPT_REFUSED,
  })
  return [
    { rule: 'CHECKSIG takes the right signature', script, witness: (sign) => [sign(alice, script), script] },
    {
      rule: 'the wrong key is refused',
      script,
      witness: (sign) => [sign(bob, script), script],
      refusal: SCRIPT_REFUSED,
    },
    { rule: 'no signature is refused', script, witness: () => [EMPTY, script], refusal: SCRIPT_REFUSED },
    spoil('a flipped bit is refused', (s) => s.map((byte, i) => (i === 20 ? byte ^ 1 : byte))),
    spoil('a signature without sighash type is refused', (s) => s.slice(0, -1)),
    spoil('DER with a wrong length is refused', (s) => s.map((byte, i) => (i === 1 ? byte + 1 : byte))),
    spoil('DER that is not a sequence is refused', (s) => s.map((byte, i) => (i === 0 ? 0x31 : byte))),
    spoil('trailing bytes in the signature are refused', (s) => Buffer.concat([s.slice(0, -1), ONE, ONE])),
    spoil('a high S is refused', highS),
    {
      rule: 'an element too many is refused',
      script,
      witness: (sign) => [ONE, sign(alice, script), script],
      refusal: SCRIPT_REFUSED,
    },
    { rule: 'an empty witness is refused', script, witness: () => [], refusal: SCRIPT_REFUSED },
  ]
}

/** The same signature with n − s: valid mathematics, refused since BIP-146. */
function highS(signature: Uint8Array): Uint8Array {
  const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const rLength = signature[3]!
  const r = signature.slice(2, 4 + rLength)
  const s = BigInt(`0x${Buffer.from(signature.slice(6 + rLength, -1)).toString('hex')}`)
  const bytes = Buffer.from(`00${(order - s).toString(16).padStart(64, '0')}`, 'hex')
  const body = Buffer.concat([r, Buffer.from([2, bytes.length]), bytes])
  return Buffer.concat([Buffer.from([0x30, body.length]), body, ONE])
}

function oddScripts(): Spending[] {
  const run = (
    rule: string,
    parts: (number | bigint | Uint8Array)[],
    works: boolean,
    witness: Uint8Array[] = [],
  ) => {
    const script = assembleScript(...parts)
    const made = { rule, script, witness: () => [...witness, script] }
    return works ? made : { ...made, refusal: SCRIPT_REFUSED }
  }
  return [
    run(
      'arithmetic and stack juggling',
      [2n, 3n, OP.ADD, 5n, OP.NUMEQUALVERIFY, 1n, 2n, OP.TUCK, OP.TWO_DROP, 2n, OP.NUMEQUAL],
      true,
    ),
    run('a boolean script', [0n, OP.NOT, 1n, OP.BOOLAND, 0n, OP.BOOLOR, OP.ZERO_NOT_EQUAL], true),
    run(
      'OVER, ROT, NIP, 2DUP, DEPTH',
      [
        1n,
        2n,
        OP.OVER,
        OP.ROT,
        OP.TWO_DUP,
        OP.DEPTH,
        5n,
        OP.NUMEQUALVERIFY,
        OP.TWO_DROP,
        OP.TWO_DROP,
        3n,
        1n,
        OP.NIP,
        OP.DROP,
      ],
      true,
    ),
    run('hash functions', [OP.DUP, OP.HASH256, OP.SWAP, OP.SHA256, OP.SHA256, OP.EQUAL], true, [preimage]),
    run('a negative number', [OP.ONE_NEGATE, -1n, OP.EQUAL], false),
    run('a script that ends false', [0n], false),
    run('a script that ends in negative zero', [Uint8Array.of(0x80)], false),
    run('an unbalanced IF', [1n, OP.IF, 1n], false),
    run('an ELSE without IF', [1n, OP.ELSE], false),
    { ...run('an ENDIF without IF', [1n, OP.ENDIF], false), refusal: REFUSED_SOMEHOW },
    run('OP_RETURN', [1n, OP.RETURN], false),
    run('a branch that does not run', [OP.IF, 0n, OP.VERIFY, OP.ENDIF, 1n], true, [EMPTY]),
    run(
      'nested branches that do not run',
      [OP.IF, OP.DUP, OP.IF, OP.VERIFY, OP.ELSE, OP.VERIFY, OP.ENDIF, OP.ELSE, 1n, OP.ENDIF],
      true,
      [EMPTY],
    ),
    run('an opcode that does not exist', [1n, 0xba], false),
    run('a stack that is too small', [OP.ADD], false),
    run('VERIFY of false', [1n, 0n, OP.VERIFY], false),
    run('EQUALVERIFY of unequal', [1n, 1n, 2n, OP.EQUALVERIFY], false),
    run('a push that is longer than needed', [0x4c, 1, 0x51], false),
    { ...run('a push that ends after the script', [0x05, 1], false), refusal: REFUSED_SOMEHOW },
    run('a number that is not minimal', [OP.NOT], false, [Uint8Array.of(0)]),
    run('a number longer than four bytes', [OP.NOT], false, [new Uint8Array(5).fill(1)]),
    run('a negative lock time', [OP.ONE_NEGATE, OP.CHECKLOCKTIMEVERIFY], false),
    run('a negative relative lock time', [OP.ONE_NEGATE, OP.CHECKSEQUENCEVERIFY], false),
    run('more keys than CHECKMULTISIG may have', [0n, 0n, 21n, OP.CHECKMULTISIG], false),
    run('more signatures than keys', [0n, 1n, 0n, OP.CHECKMULTISIG], false),
    run('0-of-0', [0n, 0n, 0n, OP.CHECKMULTISIG], true),
    run('201 operations', [1n, ...Array<number>(201).fill(OP.NOP)], true),
    run('202 operations', [1n, ...Array<number>(202).fill(OP.NOP)], false),
    run('an uncompressed key', [0n, Uint8Array.of(4, ...new Uint8Array(64)), OP.CHECKSIG, OP.NOT], false),
  ]
}
