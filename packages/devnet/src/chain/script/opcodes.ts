/** The opcodes that the interpreter knows; every other one ends a script in failure. */
export const OP = {
  PUSHDATA1: 0x4c,
  PUSHDATA2: 0x4d,
  PUSHDATA4: 0x4e,
  ONE_NEGATE: 0x4f,
  ONE: 0x51,
  SIXTEEN: 0x60,
  NOP: 0x61,
  IF: 0x63,
  NOTIF: 0x64,
  ELSE: 0x67,
  ENDIF: 0x68,
  VERIFY: 0x69,
  RETURN: 0x6a,
  TWO_DROP: 0x6d,
  TWO_DUP: 0x6e,
  IFDUP: 0x73,
  DEPTH: 0x74,
  DROP: 0x75,
  DUP: 0x76,
  NIP: 0x77,
  OVER: 0x78,
  ROT: 0x7b,
  SWAP: 0x7c,
  TUCK: 0x7d,
  SIZE: 0x82,
  EQUAL: 0x87,
  EQUALVERIFY: 0x88,
  NOT: 0x91,
  ZERO_NOT_EQUAL: 0x92,
  ADD: 0x93,
  BOOLAND: 0x9a,
  BOOLOR: 0x9b,
  NUMEQUAL: 0x9c,
  NUMEQUALVERIFY: 0x9d,
  RIPEMD160: 0xa6,
  SHA256: 0xa8,
  HASH160: 0xa9,
  HASH256: 0xaa,
  CHECKSIG: 0xac,
  CHECKSIGVERIFY: 0xad,
  CHECKMULTISIG: 0xae,
  CHECKMULTISIGVERIFY: 0xaf,
  CHECKLOCKTIMEVERIFY: 0xb1,
  CHECKSEQUENCEVERIFY: 0xb2,
} as const

export type Instruction = { readonly op: number; readonly data: Uint8Array | null }

/** `null` when a push reads past the end of the script. */
export function parseScript(script: Uint8Array): Instruction[] | null {
  const instructions: Instruction[] = []
  for (let i = 0; i < script.length; ) {
    const op = script[i++]!
    if (op > OP.PUSHDATA4) {
      instructions.push({ op, data: null })
      continue
    }
    const lengthBytes = op < OP.PUSHDATA1 ? 0 : op === OP.PUSHDATA1 ? 1 : op === OP.PUSHDATA2 ? 2 : 4
    let length = op
    if (lengthBytes > 0) {
      length = 0
      for (let b = 0; b < lengthBytes; b++) length += (script[i + b] ?? Number.NaN) * 2 ** (8 * b)
    }
    i += lengthBytes
    if (!(i + length <= script.length)) return null
    instructions.push({ op, data: script.subarray(i, i + length) })
    i += length
  }
  return instructions
}

/** The shortest way to push `data` (BIP-62 rule 3, policy MINIMALDATA). */
export function isMinimalPush(op: number, data: Uint8Array): boolean {
  if (data.length === 0) return op === 0
  if (data.length === 1) {
    const value = data[0]!
    return !((value >= 1 && value <= 16) || value === 0x81) && op === 1
  }
  if (data.length < OP.PUSHDATA1) return op === data.length
  if (data.length <= 0xff) return op === OP.PUSHDATA1
  if (data.length <= 0xffff) return op === OP.PUSHDATA2
  return true
}
