import { ripemd160 } from '@noble/hashes/legacy.js'
import { sha256 } from '../chain/bytes.ts'
import { encodeScriptNumber } from '../chain/script/numbers.ts'
import { OP } from '../chain/script/opcodes.ts'
import { keyHash } from '../chain/script/verify-input.ts'
import type { TestKey } from './spender.ts'

type Part = number | bigint | Uint8Array

/** Assembles a script: a number is an opcode, a bigint a script number, bytes are pushed. */
export function assembleScript(...parts: Part[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.from([part]) : push(part))))
}

function push(part: bigint | Uint8Array): Buffer {
  if (typeof part === 'bigint' && part >= 1n && part <= 16n) return Buffer.from([OP.ONE - 1 + Number(part)])
  const bytes = typeof part === 'bigint' ? encodeScriptNumber(part) : part
  if (bytes.length < OP.PUSHDATA1) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  return Buffer.concat([Buffer.from([OP.PUSHDATA1, bytes.length]), bytes])
}

/** BOLT 3, "Funding Transaction Output": 2-of-2. */
export function fundingScript(a: TestKey, b: TestKey): Buffer {
  return assembleScript(2n, a.publicKey, b.publicKey, 2n, OP.CHECKMULTISIG)
}

/** BOLT 3, "to_local Output". */
export function toLocalScript(revocation: TestKey, delayed: TestKey, toSelfDelay: bigint): Buffer {
  return assembleScript(
    OP.IF,
    revocation.publicKey,
    OP.ELSE,
    toSelfDelay,
    OP.CHECKSEQUENCEVERIFY,
    OP.DROP,
    delayed.publicKey,
    OP.ENDIF,
    OP.CHECKSIG,
  )
}

/** BOLT 3, "to_remote Output" with option_anchors. */
export function toRemoteAnchorScript(remote: TestKey): Buffer {
  return assembleScript(remote.publicKey, OP.CHECKSIGVERIFY, 1n, OP.CHECKSEQUENCEVERIFY)
}

/** BOLT 3, "to_local_anchor and to_remote_anchor Output". */
export function anchorScript(funding: TestKey): Buffer {
  return assembleScript(
    funding.publicKey,
    OP.CHECKSIG,
    OP.IFDUP,
    OP.NOTIF,
    16n,
    OP.CHECKSEQUENCEVERIFY,
    OP.ENDIF,
  )
}

type HtlcKeys = { revocation: TestKey; local: TestKey; remote: TestKey }

/** BOLT 3, "Offered HTLC Outputs"; with option_anchors it ends in a CSV of one block. */
export function offeredHtlcScript(keys: HtlcKeys, paymentHash: Uint8Array, anchors: boolean): Buffer {
  return assembleScript(
    ...revocable(keys),
    OP.NOTIF,
    OP.DROP,
    2n,
    OP.SWAP,
    keys.local.publicKey,
    2n,
    OP.CHECKMULTISIG,
    OP.ELSE,
    OP.HASH160,
    ripemd160(paymentHash),
    OP.EQUALVERIFY,
    OP.CHECKSIG,
    OP.ENDIF,
    ...(anchors ? [1n, OP.CHECKSEQUENCEVERIFY, OP.DROP] : []),
    OP.ENDIF,
  )
}

/** BOLT 3, "Received HTLC Outputs". */
export function receivedHtlcScript(
  keys: HtlcKeys,
  paymentHash: Uint8Array,
  cltvExpiry: bigint,
  anchors: boolean,
): Buffer {
  return assembleScript(
    ...revocable(keys),
    OP.IF,
    OP.HASH160,
    ripemd160(paymentHash),
    OP.EQUALVERIFY,
    2n,
    OP.SWAP,
    keys.local.publicKey,
    2n,
    OP.CHECKMULTISIG,
    OP.ELSE,
    OP.DROP,
    cltvExpiry,
    OP.CHECKLOCKTIMEVERIFY,
    OP.DROP,
    OP.CHECKSIG,
    OP.ENDIF,
    ...(anchors ? [1n, OP.CHECKSEQUENCEVERIFY, OP.DROP] : []),
    OP.ENDIF,
  )
}

/** What both HTLC scripts begin with: the revocation key, or else a look at the size of the next element. */
function revocable({ revocation, remote }: HtlcKeys): Part[] {
  return [
    OP.DUP,
    OP.HASH160,
    keyHash(revocation.publicKey),
    OP.EQUAL,
    OP.IF,
    OP.CHECKSIG,
    OP.ELSE,
    remote.publicKey,
    OP.SWAP,
    OP.SIZE,
    32n,
    OP.EQUAL,
  ]
}

export function paymentHashOf(preimage: Uint8Array): Uint8Array {
  return sha256(preimage)
}
