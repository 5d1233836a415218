import {
  encodeOffer,
  type OfferFields,
  offerRecords,
  readBlindedPaths,
  writeTlvStream,
} from '@holdfast/protocols/bolt12'
import { concatBytes } from '@noble/hashes/utils.js'
import {
  BlindedMessagePath,
  type EntropySource,
  MessageContext,
  MessageForwardNode,
  Nonce,
  Offer,
  OffersContext,
  Option_u64Z,
  Result_BlindedMessagePathNoneZ_OK,
  Result_OfferBolt12ParseErrorZ_OK,
} from 'lightningdevkit'
import { type Hex, type Network, NodeError, type OfferRecord, type OfferRequest } from '../../ports.ts'
import { fromHex, toHex } from './bytes.ts'
import { listChannels } from './channels.ts'
import { checkAmount } from './checks.ts'
import type { NodeContext } from './context.ts'
import { isWithinBolt4Limits } from './invoices.ts'
import { issuerIdOf, type OfferKeys } from './offer-keys.ts'

const MOST_PATHS = 3

/** Genesis hashes in internal byte order, as BOLT 12 `offer_chains` wants them. */
export const CHAIN_HASH: Record<Network, Hex> = {
  bitcoin: '6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000',
  testnet: '43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000',
  signet: 'f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000',
  regtest: '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f',
}

type Row = {
  offer_id: string
  issuer_id: Hex
  offer: string
  amount_msat: string | null
  enabled: number
  created_at: number
  payee_domain: string | null
}

/**
 * Offers with amount, description, issuer and expiry. The setters of LDK's offer builder do nothing in these bindings,
 * so the TLV stream is made here: LDK recognises an offer as its own when the issuer key follows from its inbound key
 * material, the nonce in the blinded path's context and the other fields (LDK `offers/signer.rs`).
 */
export class Offers {
  readonly #node: NodeContext
  readonly #entropy: EntropySource
  readonly #keys: OfferKeys

  constructor(node: NodeContext, entropy: EntropySource, keys: OfferKeys) {
    this.#node = node
    this.#entropy = entropy
    this.#keys = keys
  }

  create(request: OfferRequest): { offer: string } {
    const { store, now } = this.#node
    const existing = store.get<Row>('SELECT * FROM offers WHERE offer_id = ?', request.offerId)
    if (existing) return { offer: existing.offer }
    if (request.amountMsat !== undefined) checkAmount(request.amountMsat, 'The amount of an offer')

    const nonce = Nonce.constructor_from_entropy_source(this.#entropy)
    const fields: OfferFields = {
      ...(this.#node.network === 'bitcoin' ? {} : { chains: [CHAIN_HASH[this.#node.network]] }),
      ...(request.amountMsat === undefined ? {} : { amount: { msat: request.amountMsat } }),
      // BOLT 12: an offer with an amount must have a description.
      ...(request.description === undefined && request.amountMsat === undefined
        ? {}
        : { description: request.description ?? '' }),
      ...(request.expiresAt === undefined
        ? {}
        : { absoluteExpirySeconds: BigInt(Math.floor(request.expiresAt / 1000)) }),
      paths: readBlindedPaths(concatBytes(...this.#pathsTo(nonce).map((path) => path.write()))),
      ...(request.issuer === undefined ? {} : { issuer: request.issuer }),
    }
    const issuerId = issuerIdOf(this.#keys, nonce.as_slice(), writeTlvStream(offerRecords(fields)))
    const offer = encodeOffer({ ...fields, issuerId }).text
    const read = Offer.constructor_from_str(offer)
    if (!(read instanceof Result_OfferBolt12ParseErrorZ_OK))
      throw new Error('LDK does not read an offer of ours.')
    store.run(
      `INSERT INTO offers (offer_id, issuer_id, ldk_offer_id, offer, amount_msat, enabled, created_at, payee_domain)
       VALUES (?, ?, ?, ?, ?, 1, ?, ?)`,
      request.offerId,
      issuerId,
      toHex(read.res.id().get_a()),
      offer,
      request.amountMsat?.toString() ?? null,
      now(),
      request.payeeDomain ?? null,
    )
    return { offer }
  }

  list(): OfferRecord[] {
    return this.#node.store.all<Row>('SELECT * FROM offers ORDER BY created_at, offer_id').map((row) => ({
      offerId: row.offer_id,
      offer: row.offer,
      enabled: row.enabled === 1,
      createdAt: row.created_at,
    }))
  }

  disable(offerId: string): void {
    this.#node.store.run('UPDATE offers SET enabled = 0 WHERE offer_id = ?', offerId)
  }

  /**
   * How an invoice request for the offer with this issuer key is answered, which is unique to each offer. `payee`: whom it
   * names.
   */
  answerTo(issuerId: Hex, payee: string | null): 'invoice' | 'names-no-payee-here' | 'silence' {
    const row = this.#node.store.get<Row>('SELECT * FROM offers WHERE issuer_id = ?', issuerId)
    if (row?.enabled !== 1) return 'silence'
    const { payee_domain: domain } = row
    return domain === null || payee?.endsWith(`@${domain}`) ? 'invoice' : 'names-no-payee-here'
  }

  /** The caller's id of the offer that LDK names, or null when the amount is outside BOLT 4's limits or it is not ours. */
  accepts(ldkOfferId: Hex, amountMsat: bigint): boolean {
    const row = this.#row(ldkOfferId)
    return (
      row !== undefined &&
      (row.amount_msat === null || isWithinBolt4Limits(amountMsat, BigInt(row.amount_msat)))
    )
  }

  offerIdOf(ldkOfferId: Hex): string | null {
    return this.#row(ldkOfferId)?.offer_id ?? null
  }

  #row(ldkOfferId: Hex): Row | undefined {
    return this.#node.store.get<Row>('SELECT * FROM offers WHERE ldk_offer_id = ?', ldkOfferId)
  }

  /**
   * An announced node is its own introduction node. One that is not announced is reached through its channel peers.
   */
  #pathsTo(nonce: Nonce): BlindedMessagePath[] {
    const { manager, nodeId } = this.#node
    const channels = listChannels(manager)
    const introductions = channels.some((channel) => channel.announced && channel.ready)
      ? [[]]
      : [...new Set(channels.filter((channel) => channel.ready).map((channel) => channel.peer))]
          .slice(0, MOST_PATHS)
          .map((peer) => [MessageForwardNode.constructor_new(fromHex(peer), Option_u64Z.constructor_none())])
    if (introductions.length === 0)
      throw new NodeError(
        'unsupported',
        'A node without a channel cannot be reached: open one before making an offer.',
      )
    return introductions.map((hops) => {
      const context = MessageContext.constructor_offers(
        OffersContext.constructor_invoice_request(nonce.clone()),
      )
      const path = BlindedMessagePath.constructor_new(hops, fromHex(nodeId), context, this.#entropy)
      if (!(path instanceof Result_BlindedMessagePathNoneZ_OK))
        throw new Error('LDK cannot make a blinded path.')
      return path.res
    })
  }
}
