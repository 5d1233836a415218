import { sha256 } from '@noble/hashes/sha2.js'
import {
  Balance_ClaimableOnChannelClose,
  Balance_ContentiousClaimable,
  type ChainMonitor,
  type ClaimedHTLC,
} from 'lightningdevkit'
import type { Hex } from '../../ports.ts'
import type { Header } from './bitcoin-rpc.ts'
import { witnessOf } from './block.ts'
import { toHex } from './bytes.ts'
import type { ConnectedBlock } from './chain-path.ts'
import type { NodeContext } from './context.ts'
import { holderCommitmentIn } from './holder-commitment.ts'

/** A reorganisation of six blocks does not undo a transaction that is so deep. */
const FINAL_CONFIRMATIONS = 7
/** BOLT 3: `<remotehtlcsig> <localhtlcsig> <payment_preimage>`, or the preimage alone of the other side's commitment. */
const PREIMAGE_BYTES = 32

/** How the chain has decided about a claim, for good. */
export type Verdict = 'won' | 'lost'

type Claim = {
  /** In hex: channels whose commitments may still have an HTLC of it. */
  readonly channels: readonly Hex[]
  /** HTLCs of it that are in commitments on the chain. */
  readonly onChain: number
  /** Heights of the blocks in which transactions of ours took one of those, each as often as it did. */
  readonly takenAt: readonly number[]
  /** Of the block since which there is nothing more to take. */
  readonly decidedAt: number | null
}

const UNDECIDED = { onChain: 0, takenAt: [], decidedAt: null } as const

/**
 * Claims of holds, until nobody can undo them. LDK says `PaymentClaimed` when it has the preimage on the disk; the money is
 * surely ours once the HTLC has left the channel, or, where the channel was closed, a transaction says so (lnd #4587 is
 * the mistake of not waiting for it).
 *
 * The HTLC has left an open channel with the first commitment of ours that does not have it: BOLT 2 lets the peer sign
 * one only after it has revoked its own commitment with the HTLC.
 */
export class HoldClaims {
  readonly #node: NodeContext
  readonly #monitor: ChainMonitor
  readonly #claims = new Map<Hex, Claim>()

  constructor(node: NodeContext, monitor: ChainMonitor) {
    this.#node = node
    this.#monitor = monitor
    const rows = node.store.all<{ payment_hash: Hex; claim: string }>('SELECT * FROM claims')
    for (const { payment_hash, claim } of rows) this.#claims.set(payment_hash, JSON.parse(claim) as Claim)
  }

  /** Not final yet. */
  has(paymentHash: Hex): boolean {
    return this.#claims.has(paymentHash)
  }

  /** `chain`: a channel was closed before, and only the chain can say whether the money is won. */
  begin(paymentHash: Hex, htlcs: readonly ClaimedHTLC[]): 'channel' | 'chain' {
    const channels = [...new Set(htlcs.map((htlc) => toHex(htlc.get_channel_id().get_a())))]
    this.#keep(paymentHash, { channels, ...UNDECIDED })
    const open = this.#openChannels()
    return channels.every((channel) => open.has(channel)) ? 'channel' : 'chain'
  }

  /** Both arguments cost calls to LDK, which are made only while something is claimed. */
  monitorUpdated(write: () => Uint8Array, channelOf: () => Hex): void {
    if (this.#claims.size === 0) return
    const commitment = holderCommitmentIn(write())
    if (commitment === null) return
    const bytes = Buffer.from(commitment.buffer, commitment.byteOffset, commitment.byteLength)
    const channel = channelOf()
    for (const [paymentHash, claim] of this.#claims)
      if (claim.channels.includes(channel) && !bytes.includes(Buffer.from(paymentHash, 'hex')))
        this.#leave(paymentHash, claim, new Set([channel]))
  }

  /** What the block, or the depth that it gives to another, has decided. */
  blockConnected(block: ConnectedBlock): [paymentHash: Hex, verdict: Verdict][] {
    if (this.#claims.size === 0) return []
    const open = this.#openChannels()
    const contested = [...this.#claims].filter(([, { channels }]) => channels.some((id) => !open.has(id)))
    if (contested.length === 0) return []
    const taken = this.#takenIn(block)
    const { isClosing, inCommitments } = this.#contests()
    const verdicts: [Hex, Verdict][] = []
    for (const [paymentHash, claim] of contested) {
      const count = inCommitments.get(paymentHash) ?? 0
      const takenAt = [...claim.takenAt, ...Array(taken.get(paymentHash) ?? 0).fill(block.height)]
      const onChain = Math.max(claim.onChain, count + takenAt.length)
      // The commitment of its only channel: another channel that is closing does not matter.
      const isInBlock = claim.channels.length === 1 && onChain > 0
      const isContested = count > 0 || (isClosing && !isInBlock)
      const decidedAt = isContested ? null : (claim.decidedAt ?? block.height)
      if (!isContested && takenAt.length < onChain) {
        verdicts.push([paymentHash, 'lost'])
        this.#forget(paymentHash)
        continue
      }
      const now = { ...claim, onChain, takenAt, decidedAt }
      if (decidedAt !== null && block.height - decidedAt >= FINAL_CONFIRMATIONS - 1) {
        verdicts.push([paymentHash, 'won'])
        const closed = new Set(claim.channels.filter((id) => !open.has(id)))
        this.#leave(paymentHash, { ...claim, ...UNDECIDED }, closed)
      } else if (now.decidedAt !== claim.decidedAt || onChain !== claim.onChain || taken.has(paymentHash))
        this.#keep(paymentHash, now)
    }
    return verdicts
  }

  /** Another commitment may come instead of the one that was in it, with other HTLCs. */
  blockDisconnected({ height }: Pick<Header, 'height'>): void {
    for (const [paymentHash, claim] of this.#claims) {
      const { onChain, takenAt, decidedAt } = claim
      if (onChain === 0 && decidedAt === null) continue
      this.#keep(paymentHash, {
        ...claim,
        onChain: 0,
        takenAt: takenAt.filter((at) => at < height),
        decidedAt: decidedAt !== null && decidedAt >= height ? null : decidedAt,
      })
    }
  }

  /** HTLCs, by payment hash, that transactions of ours take in this block: they show the preimage. */
  #takenIn({ transactions }: ConnectedBlock): Map<Hex, number> {
    const taken = new Map<Hex, number>()
    for (const { txid, raw } of transactions)
      for (const item of witnessOf(raw)) {
        if (item.length !== PREIMAGE_BYTES) continue
        const paymentHash = toHex(sha256(item))
        // The payout has the same hash, and its payee shows the same preimage when they take it on the chain.
        if (this.#claims.has(paymentHash) && this.#isOurs(txid))
          taken.set(paymentHash, (taken.get(paymentHash) ?? 0) + 1)
      }
    return taken
  }

  #isOurs(txid: string): boolean {
    return this.#node.store.get('SELECT 1 FROM broadcasts WHERE txid = ?', txid) !== undefined
  }

  /**
   * `isClosing`: a channel is closed and its commitment is in no block yet; LDK does not say which one, nor which HTLCs
   * will be in it. What the peer has taken stays in `inCommitments` until that cannot be undone any more.
   */
  #contests(): { isClosing: boolean; inCommitments: Map<Hex, number> } {
    const inCommitments = new Map<Hex, number>()
    let isClosing = false
    for (const balance of this.#monitor.get_claimable_balances(this.#node.manager.list_channels())) {
      if (balance instanceof Balance_ClaimableOnChannelClose) isClosing = true
      if (!(balance instanceof Balance_ContentiousClaimable)) continue
      const paymentHash = toHex(balance.payment_hash)
      inCommitments.set(paymentHash, (inCommitments.get(paymentHash) ?? 0) + 1)
    }
    return { isClosing, inCommitments }
  }

  #openChannels(): Set<Hex> {
    const channels = this.#node.manager.list_channels()
    return new Set(channels.map((channel) => toHex(channel.get_channel_id().get_a())))
  }

  #leave(paymentHash: Hex, claim: Claim, left: ReadonlySet<Hex>): void {
    const channels = claim.channels.filter((id) => !left.has(id))
    if (channels.length === 0) this.#forget(paymentHash)
    else this.#keep(paymentHash, { ...claim, channels })
  }

  #keep(paymentHash: Hex, claim: Claim): void {
    this.#claims.set(paymentHash, claim)
    this.#node.store.run(
      'INSERT INTO claims VALUES (?, ?) ON CONFLICT (payment_hash) DO UPDATE SET claim = excluded.claim',
      paymentHash,
      JSON.stringify(claim),
    )
  }

  #forget(paymentHash: Hex): void {
    this.#claims.delete(paymentHash)
    this.#node.store.run('DELETE FROM claims WHERE payment_hash = ?', paymentHash)
  }
}
