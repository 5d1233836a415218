import type { ChainState } from './chain-state.ts'
import { isRejection, type Rejection, reject } from './rejection.ts'
import { verifyInputs } from './script/verify-input.ts'
import { outpointKey, type Transaction } from './transaction.ts'
import {
  areSequencesSatisfied,
  checkAmounts,
  checkForm,
  feeFor,
  isFinal,
  MIN_RELAY_SAT_PER_KVB,
} from './transaction-rules.ts'
import type { Coin } from './utxo-set.ts'

/** `fee` in satoshi. */
export type MempoolEntry = {
  readonly tx: Transaction
  readonly fee: bigint
  readonly parents: ReadonlySet<string>
}

/** BIP-125 as bitcoind 29 applies it: every transaction may be replaced (full RBF). */
const MAX_REPLACED = 100
const INCREMENTAL_RELAY_SAT_PER_KVB = 1000n
const MAX_FAMILY = 25
const MAX_MEMPOOL_VBYTES = 20_000_000

/** Accepted transactions in the order of their arrival, hence parents before children. */
export class Mempool {
  private readonly chain: ChainState
  private readonly entries = new Map<string, MempoolEntry>()
  private readonly spenders = new Map<string, string>()
  private totalVsize = 0

  constructor(chain: ChainState) {
    this.chain = chain
  }

  get size(): number {
    return this.entries.size
  }

  get vsize(): number {
    return this.totalVsize
  }

  get(txid: string): MempoolEntry | undefined {
    return this.entries.get(txid)
  }

  all(): Iterable<MempoolEntry> {
    return this.entries.values()
  }

  /** The txid of the unconfirmed transaction that spends the output. */
  spender(outpoint: { txid: string; vout: number }): string | undefined {
    return this.spenders.get(outpointKey(outpoint))
  }

  /** Checks everything and changes nothing. `replaced` lists what `add` would throw out. */
  check(tx: Transaction): Rejection | Admission {
    const malformed = checkForm(tx)
    if (malformed !== null) return malformed
    const { next } = this.chain
    if (!isFinal(tx, next)) return reject('non-final')
    if (this.entries.has(tx.txid)) return reject('txn-already-in-mempool')
    const coins = this.findCoins(tx)
    if (isRejection(coins)) return coins
    if (!areSequencesSatisfied(tx, coins, next, (height) => this.chain.medianTimePastAt(height))) {
      return reject('non-BIP68-final')
    }
    const amounts = checkAmounts(tx, coins, next)
    if (isRejection(amounts)) return amounts
    const { fee } = amounts
    const least = feeFor(tx.vsize, MIN_RELAY_SAT_PER_KVB)
    if (fee < least) return reject('min relay fee not met', `${fee} < ${least}`)
    const replaced = this.checkReplacement(tx, fee)
    if (isRejection(replaced)) return replaced
    const parents = new Set(tx.inputs.map((input) => input.txid).filter((txid) => this.entries.has(txid)))
    const crowded = this.checkLimits(tx, parents, replaced)
    if (crowded !== null) return crowded
    const unproven = verifyInputs(
      tx,
      coins.map((coin) => coin.output),
    )
    if (unproven !== null) {
      const where = `input ${unproven.inputIndex} of ${tx.txid}`
      return reject(`mandatory-script-verify-flag-failed (${unproven.reason})`, where)
    }
    return { entry: { tx, fee, parents }, replaced }
  }

  add({ entry, replaced }: Admission): void {
    for (const txid of replaced) this.remove(txid)
    this.entries.set(entry.tx.txid, entry)
    for (const input of entry.tx.inputs) this.spenders.set(outpointKey(input), entry.tx.txid)
    this.totalVsize += entry.tx.vsize
  }

  /** Takes out what a block confirmed, and what it made impossible. */
  removeConfirmed(transactions: readonly Transaction[]): void {
    for (const tx of transactions) {
      this.remove(tx.txid)
      for (const input of tx.inputs) {
        const rival = this.spender(input)
        if (rival !== undefined) for (const txid of this.withDescendants([rival])) this.remove(txid)
      }
    }
  }

  /** Empties the mempool and takes in again what the chain now allows, in the given order. */
  refill(candidates: readonly Transaction[]): void {
    this.entries.clear()
    this.spenders.clear()
    this.totalVsize = 0
    for (const tx of candidates) {
      if (this.chain.confirming(tx.txid) !== undefined) continue
      const checked = this.check(tx)
      if (!isRejection(checked)) this.add(checked)
    }
  }

  private remove(txid: string): void {
    const entry = this.entries.get(txid)
    if (entry === undefined) return
    this.entries.delete(txid)
    this.totalVsize -= entry.tx.vsize
    for (const input of entry.tx.inputs) this.spenders.delete(outpointKey(input))
  }

  private findCoins(tx: Transaction): Coin[] | Rejection {
    const coins: Coin[] = []
    for (const input of tx.inputs) {
      const coin = this.chain.utxo.get(input) ?? this.unconfirmedCoin(input)
      if (coin === undefined) return this.missingInput(tx)
      coins.push(coin)
    }
    return coins
  }

  private missingInput(tx: Transaction): Rejection {
    const ownOutputs = tx.outputs.map((_, vout) => this.chain.utxo.get({ txid: tx.txid, vout }))
    if (ownOutputs.some((coin) => coin !== undefined)) return reject('txn-already-known', '', -27)
    return reject('bad-txns-inputs-missingorspent', '', -25)
  }

  private unconfirmedCoin(outpoint: { txid: string; vout: number }): Coin | undefined {
    const output = this.entries.get(outpoint.txid)?.tx.outputs[outpoint.vout]
    if (output === undefined) return undefined
    const { txid, vout } = outpoint
    return { txid, vout, output, height: this.chain.next.height, isCoinbase: false }
  }

  /** BIP-125 rules 3 to 6; answers all that would go, descendants included. */
  private checkReplacement(tx: Transaction, fee: bigint): ReadonlySet<string> | Rejection {
    const rivals = tx.inputs.map((input) => this.spender(input)).filter((txid) => txid !== undefined)
    if (rivals.length === 0) return new Set()
    const replaced = this.withDescendants(rivals)
    if (replaced.size > MAX_REPLACED) {
      return reject('too many potential replacements', `rejecting replacement ${tx.txid}`)
    }
    if (tx.inputs.some((input) => replaced.has(input.txid))) {
      return reject('bad-txns-spends-conflicting-tx', `${tx.txid} spends conflicting transaction`)
    }
    const insufficient = (why: string) =>
      reject('insufficient fee', `rejecting replacement ${tx.txid}; ${why}`)
    for (const rival of rivals) {
      const entry = this.entries.get(rival)!
      if (fee * BigInt(entry.tx.vsize) <= entry.fee * BigInt(tx.vsize)) {
        return insufficient(`new feerate is not above that of ${rival}`)
      }
    }
    const replacedFees = [...replaced].reduce((sum, txid) => sum + this.entries.get(txid)!.fee, 0n)
    if (fee < replacedFees) return insufficient(`less fees than conflicting txs; ${fee} < ${replacedFees}`)
    const relay = feeFor(tx.vsize, INCREMENTAL_RELAY_SAT_PER_KVB)
    if (fee - replacedFees < relay) {
      return insufficient(`not enough additional fees to relay; ${fee - replacedFees} < ${relay}`)
    }
    return replaced
  }

  private checkLimits(
    tx: Transaction,
    parents: ReadonlySet<string>,
    replaced: ReadonlySet<string>,
  ): Rejection | null {
    const ancestors = this.withAncestors(parents)
    if (ancestors.size + 1 > MAX_FAMILY)
      return reject('too-long-mempool-chain', 'too many unconfirmed ancestors')
    for (const ancestor of ancestors) {
      if (this.withDescendants([ancestor]).size + 1 > MAX_FAMILY) {
        return reject('too-long-mempool-chain', `too many descendants for tx ${ancestor}`)
      }
    }
    let vsize = this.totalVsize + tx.vsize
    for (const txid of replaced) vsize -= this.entries.get(txid)!.tx.vsize
    return vsize > MAX_MEMPOOL_VBYTES ? reject('mempool full') : null
  }

  private withAncestors(txids: Iterable<string>): Set<string> {
    const parents = (txid: string) => this.entries.get(txid)?.parents ?? []
    return closure(txids, (txid) => [...parents(txid)].filter((parent) => this.entries.has(parent)))
  }

  private withDescendants(txids: Iterable<string>): Set<string> {
    return closure(txids, (txid) => this.childrenOf(txid))
  }

  private childrenOf(txid: string): string[] {
    const outputs = this.entries.get(txid)?.tx.outputs ?? []
    return outputs.map((_, vout) => this.spender({ txid, vout })).filter((child) => child !== undefined)
  }
}

/** A transaction that passed, and what it replaces. */
export type Admission = { readonly entry: MempoolEntry; readonly replaced: ReadonlySet<string> }

function closure(start: Iterable<string>, next: (txid: string) => Iterable<string>): Set<string> {
  const found = new Set(start)
  for (const txid of found) for (const other of next(txid)) found.add(other)
  return found
}
