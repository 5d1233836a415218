import { ripemd160 } from '@noble/hashes/legacy.js'
import { hash256, sha256 } from '../bytes.ts'
import type { TxBody } from '../transaction.ts'
import { decodeScriptNumber, encodeScriptNumber, isTrue } from './numbers.ts'
import { isMinimalPush, OP, parseScript } from './opcodes.ts'
import { checkLockTime, checkSequence } from './script-locks.ts'
import { segwitV0Sighash } from './sighash.ts'
import { isCompressedKey, parseEcdsaSignature, verifyEcdsa } from './signature.ts'

/** Where the script runs: the spending transaction, which input, and the value that the input spends. */
export type ScriptContext = { readonly tx: TxBody; readonly inputIndex: number; readonly value: bigint }

/** Ends a script; the reason is worded as bitcoind words it where it has a word. */
export class ScriptFailure extends Error {
  constructor(reason: string) {
    super(reason)
    this.name = 'ScriptFailure'
  }
}

const MAX_ELEMENT_BYTES = 520
const MAX_OPERATIONS = 201
const MAX_STACK = 1000
const MAX_MULTISIG_KEYS = 20

/**
 * Runs a version 0 witness script (BIP-141) with the consensus rules and the policy rules that bitcoind's mempool
 * adds: minimal pushes, MINIMALIF, NULLFAIL, NULLDUMMY, low S, compressed keys, clean stack. It knows the opcodes of
 * `OP`, which are those of Lightning's and of swaps' scripts; any other opcode fails. Throws `ScriptFailure`.
 */
export function runWitnessScript(
  script: Uint8Array,
  witness: readonly Uint8Array[],
  context: ScriptContext,
): void {
  if (witness.some((element) => element.length > MAX_ELEMENT_BYTES))
    throw new ScriptFailure('Push value size limit exceeded')
  const machine = new Machine(script, witness, context)
  machine.run()
  if (machine.stack.length !== 1) throw new ScriptFailure('Stack size must be exactly one after execution')
  if (!isTrue(machine.stack[0]!))
    throw new ScriptFailure(
      'Script evaluated without error but finished with a false/empty top stack element',
    )
}

class Machine {
  readonly stack: Uint8Array[]
  private readonly script: Uint8Array
  private readonly context: ScriptContext
  /** One entry for each open IF: whether its branch runs. */
  private readonly branches: boolean[] = []
  private operations = 0

  constructor(script: Uint8Array, witness: readonly Uint8Array[], context: ScriptContext) {
    this.script = script
    this.stack = [...witness]
    this.context = context
  }

  run(): void {
    const instructions = parseScript(this.script)
    if (instructions === null) throw new ScriptFailure('Opcode missing or not understood')
    for (const { op, data } of instructions) {
      if (data !== null) {
        if (data.length > MAX_ELEMENT_BYTES) throw new ScriptFailure('Push value size limit exceeded')
        if (!this.running) continue
        if (!isMinimalPush(op, data)) throw new ScriptFailure('Data push larger than necessary')
        this.stack.push(data)
      } else {
        if (op > OP.SIXTEEN) this.count(1)
        this.step(op)
      }
      if (this.stack.length > MAX_STACK) throw new ScriptFailure('Stack size limit exceeded')
    }
    if (this.branches.length > 0) throw new ScriptFailure('Invalid OP_IF construction')
  }

  private get running(): boolean {
    return !this.branches.includes(false)
  }

  private count(operations: number): void {
    this.operations += operations
    if (this.operations > MAX_OPERATIONS) throw new ScriptFailure('Operation limit exceeded')
  }

  private step(op: number): void {
    if (op >= OP.IF && op <= OP.ENDIF) this.branch(op)
    else if (this.running) this.perform(op)
  }

  private perform(op: number): void {
    if (op === OP.ONE_NEGATE || (op >= OP.ONE && op <= OP.SIXTEEN)) {
      this.pushNumber(BigInt(op - OP.ONE + 1))
      return
    }
    const perform = OPERATIONS[op]
    if (perform === undefined) throw new ScriptFailure('Opcode missing or not understood')
    perform(this)
  }

  private branch(op: number): void {
    if (op === OP.ELSE) {
      if (this.branches.length === 0) throw new ScriptFailure('Invalid OP_IF construction')
      this.branches.push(!this.branches.pop()!)
    } else if (op === OP.ENDIF) {
      if (this.branches.pop() === undefined) throw new ScriptFailure('Invalid OP_IF construction')
    } else if (op === OP.IF || op === OP.NOTIF) {
      // A branch inside one that does not run takes nothing from the stack.
      this.branches.push(this.running ? this.popCondition() === (op === OP.IF) : false)
    } else {
      throw new ScriptFailure('Opcode missing or not understood')
    }
  }

  /** MINIMALIF: exactly empty or 0x01. */
  private popCondition(): boolean {
    const condition = this.pop()
    if (condition.length > 1 || (condition.length === 1 && condition[0] !== 1)) {
      throw new ScriptFailure('OP_IF/NOTIF argument must be minimal')
    }
    return condition.length === 1
  }

  pop(): Uint8Array {
    const top = this.stack.pop()
    if (top === undefined) throw new ScriptFailure('Operation not valid with the current stack size')
    return top
  }

  /** 0 is the top. */
  peek(depth: number): Uint8Array {
    const element = this.stack.at(-1 - depth)
    if (element === undefined) throw new ScriptFailure('Operation not valid with the current stack size')
    return element
  }

  push(...elements: Uint8Array[]): void {
    this.stack.push(...elements)
  }

  pushNumber(value: bigint): void {
    this.stack.push(encodeScriptNumber(value))
  }

  pushBoolean(value: boolean): void {
    this.pushNumber(value ? 1n : 0n)
  }

  popNumber(): bigint {
    return this.asNumber(this.pop())
  }

  asNumber(bytes: Uint8Array, maxBytes = 4): bigint {
    const value = decodeScriptNumber(bytes, maxBytes)
    if (value === null) throw new ScriptFailure('unknown error')
    return value
  }

  verify(reason: string): void {
    if (!isTrue(this.pop())) throw new ScriptFailure(reason)
  }

  lockTime(): void {
    const reason = checkLockTime(this.context, this.asNumber(this.peek(0), 5))
    if (reason !== null) throw new ScriptFailure(reason)
  }

  sequence(): void {
    const reason = checkSequence(this.context, this.asNumber(this.peek(0), 5))
    if (reason !== null) throw new ScriptFailure(reason)
  }

  checkSignature(): void {
    const publicKey = this.pop()
    const signature = this.pop()
    const valid = this.isSignedBy(signature, publicKey)
    if (!valid && signature.length > 0) {
      throw new ScriptFailure('Signature must be zero for failed CHECK(MULTI)SIG operation')
    }
    this.pushBoolean(valid)
  }

  /** Signatures must stand in the order of their keys; an extra element below them must be empty (NULLDUMMY). */
  checkMultisig(): void {
    const keyCount = Number(this.popNumber())
    if (keyCount < 0 || keyCount > MAX_MULTISIG_KEYS)
      throw new ScriptFailure('Pubkey count negative or limit exceeded')
    this.count(keyCount)
    const keys = Array.from({ length: keyCount }, () => this.pop())
    const signatureCount = Number(this.popNumber())
    if (signatureCount < 0 || signatureCount > keyCount)
      throw new ScriptFailure('Signature count negative or greater than pubkey count')
    const signatures = Array.from({ length: signatureCount }, () => this.pop())
    const dummy = this.pop()
    let next = 0
    for (const key of keys) {
      if (next === signatures.length) break
      if (this.isSignedBy(signatures[next]!, key)) next++
    }
    const valid = next === signatures.length
    if (!valid && signatures.some((signature) => signature.length > 0)) {
      throw new ScriptFailure('Signature must be zero for failed CHECK(MULTI)SIG operation')
    }
    if (dummy.length > 0) throw new ScriptFailure('Dummy CHECKMULTISIG argument must be zero')
    this.pushBoolean(valid)
  }

  private isSignedBy(signature: Uint8Array, publicKey: Uint8Array): boolean {
    const parsed = signature.length === 0 ? null : parseEcdsaSignature(signature)
    if (signature.length > 0 && parsed === null) throw new ScriptFailure('Non-canonical DER signature')
    if (!isCompressedKey(publicKey)) throw new ScriptFailure('Using non-compressed keys in segwit')
    if (parsed === null) return false
    const { tx, inputIndex, value } = this.context
    const digest = segwitV0Sighash(tx, inputIndex, { scriptCode: this.script, value }, parsed.sighashType)
    return verifyEcdsa(parsed.compact, digest, publicKey)
  }
}

const hash160 = (bytes: Uint8Array) => ripemd160(sha256(bytes))

function equal(m: Machine): void {
  const [second, first] = [m.pop(), m.pop()]
  m.pushBoolean(Buffer.compare(first, second) === 0)
}

function numbersEqual(m: Machine): void {
  const [second, first] = [m.popNumber(), m.popNumber()]
  m.pushBoolean(first === second)
}

const OPERATIONS: Readonly<Record<number, (machine: Machine) => void>> = {
  [OP.NOP]: () => undefined,
  [OP.VERIFY]: (m) => m.verify('Script failed an OP_VERIFY operation'),
  [OP.RETURN]: () => {
    throw new ScriptFailure('OP_RETURN was encountered')
  },
  [OP.TWO_DROP]: (m) => {
    m.pop()
    m.pop()
  },
  [OP.TWO_DUP]: (m) => m.push(m.peek(1), m.peek(0)),
  [OP.IFDUP]: (m) => {
    if (isTrue(m.peek(0))) m.push(m.peek(0))
  },
  [OP.DEPTH]: (m) => m.pushNumber(BigInt(m.stack.length)),
  [OP.DROP]: (m) => {
    m.pop()
  },
  [OP.DUP]: (m) => m.push(m.peek(0)),
  [OP.NIP]: (m) => {
    const top = m.pop()
    m.pop()
    m.push(top)
  },
  [OP.OVER]: (m) => m.push(m.peek(1)),
  [OP.ROT]: (m) => {
    const [third, second, first] = [m.pop(), m.pop(), m.pop()]
    m.push(second, third, first)
  },
  [OP.SWAP]: (m) => {
    const [second, first] = [m.pop(), m.pop()]
    m.push(second, first)
  },
  [OP.TUCK]: (m) => {
    const [second, first] = [m.pop(), m.pop()]
    m.push(second, first, second)
  },
  [OP.SIZE]: (m) => m.pushNumber(BigInt(m.peek(0).length)),
  [OP.EQUAL]: equal,
  [OP.EQUALVERIFY]: (m) => {
    equal(m)
    m.verify('Script failed an OP_EQUALVERIFY operation')
  },
  [OP.NOT]: (m) => m.pushBoolean(m.popNumber() === 0n),
  [OP.ZERO_NOT_EQUAL]: (m) => m.pushBoolean(m.popNumber() !== 0n),
  [OP.ADD]: (m) => m.pushNumber(m.popNumber() + m.popNumber()),
  [OP.BOOLAND]: (m) => {
    const [second, first] = [m.popNumber(), m.popNumber()]
    m.pushBoolean(first !== 0n && second !== 0n)
  },
  [OP.BOOLOR]: (m) => {
    const [second, first] = [m.popNumber(), m.popNumber()]
    m.pushBoolean(first !== 0n || second !== 0n)
  },
  [OP.NUMEQUAL]: numbersEqual,
  [OP.NUMEQUALVERIFY]: (m) => {
    numbersEqual(m)
    m.verify('Script failed an OP_NUMEQUALVERIFY operation')
  },
  [OP.RIPEMD160]: (m) => m.push(ripemd160(m.pop())),
  [OP.SHA256]: (m) => m.push(sha256(m.pop())),
  [OP.HASH160]: (m) => m.push(hash160(m.pop())),
  [OP.HASH256]: (m) => m.push(hash256(m.pop())),
  [OP.CHECKSIG]: (m) => m.checkSignature(),
  [OP.CHECKSIGVERIFY]: (m) => {
    m.checkSignature()
    m.verify('Script failed an OP_CHECKSIGVERIFY operation')
  },
  [OP.CHECKMULTISIG]: (m) => m.checkMultisig(),
  [OP.CHECKMULTISIGVERIFY]: (m) => {
    m.checkMultisig()
    m.verify('Script failed an OP_CHECKMULTISIGVERIFY operation')
  },
  [OP.CHECKLOCKTIMEVERIFY]: (m) => m.lockTime(),
  [OP.CHECKSEQUENCEVERIFY]: (m) => m.sequence(),
}
