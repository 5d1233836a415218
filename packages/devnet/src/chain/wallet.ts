import { createHmac, randomBytes } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import type { ChainState } from './chain-state.ts'
import type { Mempool } from './mempool.ts'
import { dustThreshold } from './script/output-script.ts'
import { SIGHASH, segwitV0Sighash } from './script/sighash.ts'
import { keyHash, payToKeyHash } from './script/verify-input.ts'
import { finishTransaction, type Transaction, type TxBody, type TxOutput } from './transaction.ts'
import { COINBASE_MATURITY, feeFor } from './transaction-rules.ts'
import type { Coin } from './utxo-set.ts'

type Key = { readonly secret: Uint8Array; readonly publicKey: Uint8Array; readonly script: Buffer }
type Identity = { readonly name: string; readonly seed: string }
type Journal = { created(json: string): void; issued(count: number): void }

export class InsufficientFunds extends Error {
  constructor() {
    super('Insufficient funds')
    this.name = 'InsufficientFunds'
  }
}

/** Every input of ours is P2WPKH and signals replaceability (BIP-125). */
const INPUT_SEQUENCE = 0xffff_fffd
const MAX_SIGNATURE_BYTES = 72

/**
 * The wallet of the faucet: P2WPKH keys derived from one seed, kept in the chain's log. It holds play money only: the
 * seed lies on the disk in the clear.
 */
export class Wallet {
  private readonly chain: ChainState
  private readonly mempool: Mempool
  private readonly journal: Journal
  private identity: Identity | null = null
  private readonly keys = new Map<string, Key>()

  constructor(chain: ChainState, mempool: Mempool, journal: Journal) {
    this.chain = chain
    this.mempool = mempool
    this.journal = journal
  }

  get name(): string | null {
    return this.identity?.name ?? null
  }

  create(name: string): void {
    const identity = { name, seed: randomBytes(32).toString('hex') }
    this.journal.created(JSON.stringify(identity))
    this.identity = identity
  }

  restore(json: string): void {
    this.identity = JSON.parse(json) as Identity
  }

  restoreIssued(count: number): void {
    while (this.keys.size < count) this.deriveKey()
  }

  /** A new P2WPKH output script. */
  newScript(): Buffer {
    this.journal.issued(this.keys.size + 1)
    return this.deriveKey().script
  }

  private deriveKey(): Key {
    const secret = createHmac('sha256', Buffer.from(this.identity!.seed, 'hex'))
      .update(`key ${this.keys.size}`)
      .digest()
    const publicKey = secp256k1.getPublicKey(secret, true)
    const script = Buffer.concat([Buffer.from([0, 20]), keyHash(publicKey)])
    const key = { secret, publicKey, script }
    this.keys.set(script.toString('hex'), key)
    return key
  }

  /** Satoshi that can be spent now: mature, and confirmed or our own change. */
  balance(): bigint {
    return this.spendable().reduce((sum, coin) => sum + coin.output.value, 0n)
  }

  /**
   * Makes and signs a transaction that pays `output` at `satPerKvb`; with `subtractFee` the receiver bears the fee.
   * Throws `InsufficientFunds`.
   */
  pay(
    output: TxOutput,
    { satPerKvb, subtractFee }: { satPerKvb: bigint; subtractFee: boolean },
  ): Transaction {
    const coins = this.spendable().sort((a, b) => (a.output.value < b.output.value ? 1 : -1))
    const chosen: Coin[] = []
    let total = 0n
    const changeScript = this.newScript()
    for (const coin of coins) {
      chosen.push(coin)
      total += coin.output.value
      const draft = (outputs: TxOutput[]) => feeFor(this.draftVsize(chosen.length, outputs), satPerKvb)
      const feeWithChange = draft([output, { value: 0n, script: changeScript }])
      const needed = output.value + (subtractFee ? 0n : feeWithChange)
      if (total < needed) continue
      const change = total - needed
      const paid = subtractFee ? { ...output, value: output.value - feeWithChange } : output
      if (paid.value < dustThreshold(paid.script)) break
      const outputs = [paid]
      if (change >= dustThreshold(changeScript)) outputs.push({ value: change, script: changeScript })
      return this.sign({ version: 2, inputs: chosen.map(unsignedInput), outputs, lockTime: 0 }, chosen)
    }
    throw new InsufficientFunds()
  }

  private draftVsize(inputCount: number, outputs: readonly TxOutput[]): number {
    const witness = [new Uint8Array(MAX_SIGNATURE_BYTES), new Uint8Array(33)]
    const input = {
      txid: '0'.repeat(64),
      vout: 0,
      scriptSig: new Uint8Array(),
      sequence: INPUT_SEQUENCE,
      witness,
    }
    return finishTransaction({
      version: 2,
      inputs: Array.from({ length: inputCount }, () => input),
      outputs,
      lockTime: 0,
    }).vsize
  }

  private sign(body: TxBody, coins: readonly Coin[]): Transaction {
    const inputs = body.inputs.map((input, i) => {
      const { output } = coins[i]!
      const key = this.keys.get(Buffer.from(output.script).toString('hex'))!
      const scriptCode = payToKeyHash(output.script.subarray(2))
      const digest = segwitV0Sighash(body, i, { scriptCode, value: output.value }, SIGHASH.ALL)
      const signature = secp256k1.sign(digest, key.secret, { prehash: false, lowS: true, format: 'der' })
      return { ...input, witness: [Buffer.concat([signature, Buffer.from([SIGHASH.ALL])]), key.publicKey] }
    })
    return finishTransaction({ ...body, inputs })
  }

  private spendable(): Coin[] {
    const coins: Coin[] = []
    const { height } = this.chain.next
    for (const key of this.keys.values()) {
      for (const coin of this.chain.utxo.withScript(key.script)) {
        const mature = !coin.isCoinbase || height - coin.height >= COINBASE_MATURITY
        if (mature && coin.output.value > 0n && this.mempool.spender(coin) === undefined) coins.push(coin)
      }
    }
    return [...coins, ...this.ownChange()]
  }

  /** Outputs to us of unconfirmed transactions that spend only our own coins: nobody else can replace them. */
  private ownChange(): Coin[] {
    const coins: Coin[] = []
    const trusted = new Set<string>()
    for (const { tx } of this.mempool.all()) {
      const isOurs = tx.inputs.every((input) => {
        const confirmed = this.chain.utxo.get(input)
        return confirmed === undefined
          ? trusted.has(input.txid) && this.isOwnOutput(input)
          : this.owns(confirmed.output)
      })
      if (!isOurs) continue
      trusted.add(tx.txid)
      for (const [vout, output] of tx.outputs.entries()) {
        if (!this.owns(output) || this.mempool.spender({ txid: tx.txid, vout }) !== undefined) continue
        coins.push({ txid: tx.txid, vout, output, height: this.chain.next.height, isCoinbase: false })
      }
    }
    return coins
  }

  private isOwnOutput({ txid, vout }: { txid: string; vout: number }): boolean {
    const output = this.mempool.get(txid)?.tx.outputs[vout]
    return output !== undefined && this.owns(output)
  }

  private owns(output: TxOutput): boolean {
    return this.keys.has(Buffer.from(output.script).toString('hex'))
  }
}

function unsignedInput({ txid, vout }: Coin) {
  return { txid, vout, scriptSig: new Uint8Array(), sequence: INPUT_SEQUENCE, witness: [] }
}
