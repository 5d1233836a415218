import { sha256 } from '@noble/hashes/sha2.js'
import { type ClaimedHTLC, Option_u32Z_Some } from 'lightningdevkit'
import { type Hex, type HoldInvoiceRequest, type HoldState, NodeError } from '../../ports.ts'
import type { Header } from './bitcoin-rpc.ts'
import { fromHex, toHex } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import { checkAmount, checkExpiry, checkHash, checkWhole } from './checks.ts'
import type { NodeContext } from './context.ts'
import { createBolt11 } from './create-bolt11.ts'
import type { HoldClaims } from './hold-claims.ts'
import { isWithinBolt4Limits } from './invoices.ts'

const LEAST_FINAL_CLTV = 24
const MAX_HTLC_CLTV = 2016
/** BOLT 3: what either side may call dust in its own commitment, and what the transaction weighs that claims an HTLC. */
const GREATEST_DUST_LIMIT_SAT = 546n
const HTLC_SUCCESS_WEIGHT = 703n

type Row = {
  payment_hash: Hex
  invoice: string
  amount_msat: string
  request: string
  state: 'open' | 'held' | 'settling' | 'settled' | 'cancelled' | 'lost'
  held_msat: string | null
  claim_deadline: number | null
}

/**
 * Hold invoices. A hash is remembered for ever: some senders (CLN's `pay` and `xpay`) retry a payment that was failed
 * back, LDK then raises a second PaymentClaimable, and only this table knows that the hash is finished.
 */
export class Holds {
  readonly #node: NodeContext
  readonly #claims: HoldClaims

  constructor(node: NodeContext, claims: HoldClaims) {
    this.#node = node
    this.#claims = claims
  }

  create(request: HoldInvoiceRequest): { invoice: string } {
    checkHash(request.paymentHash, 'A payment hash')
    checkAmount(request.amountMsat, 'The amount of a hold invoice')
    checkExpiry(request.expirySeconds)
    // LDK refuses less (its own margins), BOLT 4 more: `max_htlc_cltv` for the whole route.
    checkWhole(request.minFinalCltvExpiryDelta, 'The final CLTV', LEAST_FINAL_CLTV, MAX_HTLC_CLTV)
    const { store } = this.#node
    const asked = JSON.stringify({ ...request, amountMsat: `${request.amountMsat}` })
    const existing = this.#row(request.paymentHash)
    if (existing) {
      if (existing.request !== asked)
        throw new NodeError('conflict', 'A hold invoice with other terms exists on this payment hash.')
      return { invoice: existing.invoice }
    }
    if (store.get('SELECT 1 FROM invoices WHERE payment_hash = ?', request.paymentHash))
      throw new NodeError('conflict', 'An ordinary invoice of this node has this payment hash.')
    const { invoice } = createBolt11(this.#node, {
      amountMsat: request.amountMsat,
      description: { description: request.description },
      expirySeconds: request.expirySeconds,
      minFinalCltvExpiryDelta: request.minFinalCltvExpiryDelta,
      paymentHash: request.paymentHash,
    })
    store.run(
      "INSERT INTO holds (payment_hash, invoice, amount_msat, request, state) VALUES (?, ?, ?, ?, 'open')",
      request.paymentHash,
      invoice,
      `${request.amountMsat}`,
      asked,
    )
    return { invoice }
  }

  settle(paymentHash: Hex, preimage: Hex): void {
    if (!/^[0-9a-f]{64}$/.test(preimage) || toHex(sha256(fromHex(preimage))) !== paymentHash)
      throw new NodeError('invalid', 'The preimage does not hash to this payment hash.')
    const row = this.#row(paymentHash)
    if (row?.state === 'settled' || row?.state === 'settling' || row?.state === 'lost') return
    // From the deadline on LDK has failed the HTLCs back, and a claim would silently do nothing.
    if (row?.state !== 'held' || this.#node.height() >= (row.claim_deadline ?? 0))
      throw new NodeError('not-held', `Nothing is held on ${paymentHash}.`)
    this.#claim(paymentHash, fromHex(preimage))
  }

  /** A payment of ours on a hash that we hold was claimed: the preimage it revealed claims our HTLC in the same turn. */
  settleWhatWasBought(paymentHash: Hex, preimage: Uint8Array): void {
    if (this.#row(paymentHash)?.state === 'held') this.#claim(paymentHash, preimage)
  }

  cancel(paymentHash: Hex): void {
    const row = this.#row(paymentHash)
    if (!row) throw new NodeError('not-held', `There is no hold invoice on ${paymentHash}.`)
    switch (row.state) {
      case 'cancelled':
        return
      case 'settling':
      case 'settled':
      case 'lost':
        throw new NodeError('conflict', 'The hold invoice is already settled.')
      case 'open':
      case 'held':
        this.#cancel(paymentHash)
    }
  }

  lookup(paymentHash: Hex): HoldState | null {
    const row = this.#row(paymentHash)
    if (!row) return null
    const amountMsat = BigInt(row.held_msat ?? row.amount_msat)
    switch (row.state) {
      case 'open':
      case 'cancelled':
        return { state: row.state }
      case 'held':
        return { state: 'held', amountMsat, claimDeadlineHeight: row.claim_deadline ?? 0 }
      case 'settling':
      case 'lost':
        return { state: row.state, amountMsat }
      case 'settled':
        return { state: 'settled', amountMsat, isFinal: !this.#claims.has(paymentHash) }
    }
  }

  lookupAll(paymentHashes: readonly Hex[]): (HoldState | null)[] {
    return paymentHashes.map((paymentHash) => this.lookup(paymentHash))
  }

  knows(paymentHash: Hex): boolean {
    return this.#row(paymentHash) !== undefined
  }

  /** All parts of a payment have arrived. LDK asks once for each complete set, also again after a restart. */
  claimable(paymentHash: Hex, amountMsat: bigint, claimDeadlineHeight: number): void {
    const { store, manager, record } = this.#node
    const row = this.#row(paymentHash)
    if (!row) throw new Error('Only a known hold is claimable.')
    if (
      row.state === 'held' &&
      row.held_msat === `${amountMsat}` &&
      row.claim_deadline === claimDeadlineHeight
    )
      return
    const isRight = isWithinBolt4Limits(amountMsat, BigInt(row.amount_msat))
    if (row.state !== 'open' || !isRight || this.#hasDust(paymentHash)) {
      manager.fail_htlc_backwards(fromHex(paymentHash))
      return
    }
    store.run(
      "UPDATE holds SET state = 'held', held_msat = ?, claim_deadline = ? WHERE payment_hash = ?",
      `${amountMsat}`,
      claimDeadlineHeight,
      paymentHash,
    )
    record({ kind: 'hold-accepted', paymentHash, amountMsat, claimDeadlineHeight })
  }

  /** LDK has the preimage, and repeats it at every start. The money is ours, or (channel closed) is still to be won. */
  claimed(paymentHash: Hex, amountMsat: bigint, htlcs: readonly ClaimedHTLC[]): void {
    if (this.#row(paymentHash)?.state !== 'settling' || this.#claims.has(paymentHash)) return
    if (this.#claims.begin(paymentHash, htlcs) === 'channel') {
      this.#settled(paymentHash, amountMsat)
      return
    }
    this.#node.store.run(
      'UPDATE holds SET held_msat = ? WHERE payment_hash = ?',
      `${amountMsat}`,
      paymentHash,
    )
    this.#node.log.warn('A hold is claimed on the chain: its channel was closed.', { paymentHash })
  }

  /**
   * LDK fails an HTLC back at its claim deadline by itself (17 blocks before its expiry). The deadline to obey is the
   * event's: the HTLC's expiry may lie far above the invoice's CLTV.
   */
  blockConnected(block: ConnectedBlock): void {
    const late = this.#node.store.all<{ payment_hash: Hex }>(
      "SELECT payment_hash FROM holds WHERE state = 'held' AND claim_deadline <= ?",
      block.height,
    )
    for (const { payment_hash } of late) this.#cancel(payment_hash)
    for (const [paymentHash, verdict] of this.#claims.blockConnected(block)) {
      const row = this.#row(paymentHash)
      if (!row) throw new Error('Only a known hold is claimed.')
      const amountMsat = BigInt(row.held_msat ?? row.amount_msat)
      if (verdict === 'lost') this.#lost(paymentHash, amountMsat)
      else if (row.state === 'settling') this.#settled(paymentHash, amountMsat)
    }
  }

  blockDisconnected(header: Pick<Header, 'height'>): void {
    this.#claims.blockDisconnected(header)
  }

  /**
   * A part below the dust limit has no output on the chain (BOLT 3): its payer could close the channel and leave it to
   * the miners after the preimage was bought. A payer may cut any amount into such parts, and fill a channel with them.
   * LDK's own `is_dust` adds 10 sat per virtual byte to the channel's fee rate, by which 2,300 sat are always dust.
   */
  #hasDust(paymentHash: Hex): boolean {
    return this.#node.manager.list_channels().some((channel) => {
      const rate = channel.get_feerate_sat_per_1000_weight()
      const satPerKw = rate instanceof Option_u32Z_Some ? BigInt(rate.some) : 0n
      const dustMsat = GREATEST_DUST_LIMIT_SAT * 1_000n + HTLC_SUCCESS_WEIGHT * satPerKw
      return channel
        .get_pending_inbound_htlcs()
        .some((htlc) => htlc.get_amount_msat() < dustMsat && toHex(htlc.get_payment_hash()) === paymentHash)
    })
  }

  #settled(paymentHash: Hex, amountMsat: bigint): void {
    this.#node.store.run(
      "UPDATE holds SET state = 'settled', held_msat = ? WHERE payment_hash = ?",
      `${amountMsat}`,
      paymentHash,
    )
    this.#node.record({ kind: 'hold-settled', paymentHash, amountMsat })
  }

  #lost(paymentHash: Hex, amountMsat: bigint): void {
    this.#node.store.run("UPDATE holds SET state = 'lost' WHERE payment_hash = ?", paymentHash)
    this.#node.log.error('A hold was lost on the chain: the peer took it back first.', { paymentHash })
    this.#node.record({ kind: 'hold-lost', paymentHash, amountMsat })
  }

  #claim(paymentHash: Hex, preimage: Uint8Array): void {
    this.#node.store.run("UPDATE holds SET state = 'settling' WHERE payment_hash = ?", paymentHash)
    this.#node.manager.claim_funds(preimage)
  }

  #cancel(paymentHash: Hex): void {
    this.#node.manager.fail_htlc_backwards(fromHex(paymentHash))
    this.#node.store.run("UPDATE holds SET state = 'cancelled' WHERE payment_hash = ?", paymentHash)
    this.#node.record({ kind: 'hold-cancelled', paymentHash })
  }

  #row(paymentHash: Hex): Row | undefined {
    return this.#node.store.get<Row>('SELECT * FROM holds WHERE payment_hash = ?', paymentHash)
  }
}
