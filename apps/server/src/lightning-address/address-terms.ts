import type { Hex } from '@holdfast/lightning'
import { writeMetadata } from '@holdfast/protocols/lnurl/metadata'
import type { PayRequestAnswer } from '@holdfast/protocols/lnurl/pay-request'
import type { PayerDataWish } from '@holdfast/protocols/lnurl/payer-data'
import type { ActiveName } from './active-name.ts'

type Name = Pick<ActiveName, 'user' | 'domain'>

export type AddressTerms = {
  readonly minMsat: bigint
  readonly maxMsat: bigint
  /** LUD-12, in characters. */
  readonly commentCharacters: number
  readonly expirySeconds: number
  /** Invoices of one name, or of all that a wildcard answers for, that may wait to be paid at a time. */
  readonly openPerName: number
}

export const DEFAULT_TERMS: AddressTerms = {
  minMsat: 1_000n,
  maxMsat: 100_000_000_000n,
  commentCharacters: 280,
  expirySeconds: 600,
  openPerName: 100,
}

/** LUD-18: payers may say who they are, and need not. No e-mail addresses: we have no use for them. */
export const PAYER_DATA_WISH: PayerDataWish = {
  name: { mandatory: false },
  pubkey: { mandatory: false },
  identifier: { mandatory: false },
}

/** The same string at every call: the invoice commits to its hash. */
export function metadataOf({ user, domain }: Name): string {
  const identifier = `${user}@${domain}`
  return writeMetadata({ description: `Pay ${identifier}`, identifier })
}

/** Where a name's callback and its invoices are found: not below `/.well-known/`, so the path names the domain. */
export function addressUrl(publicUrl: string, { user, domain }: Name): string {
  return `${publicUrl}/lnurlp/${user}@${domain}`
}

/** What a wallet is told first (LUD-06). `zapPubkey` is given only when receipts can be signed and published. */
export function describeAddress(
  name: Name,
  { terms, publicUrl, zapPubkey }: { terms: AddressTerms; publicUrl: string; zapPubkey: Hex | null },
): PayRequestAnswer & Required<Pick<PayRequestAnswer, 'commentAllowed' | 'payerData'>> {
  return {
    tag: 'payRequest',
    callback: `${addressUrl(publicUrl, name)}/callback`,
    minSendable: Number(terms.minMsat),
    maxSendable: Number(terms.maxMsat),
    metadata: metadataOf(name),
    commentAllowed: terms.commentCharacters,
    payerData: PAYER_DATA_WISH,
    ...(zapPubkey !== null && { allowsNostr: true, nostrPubkey: zapPubkey }),
  }
}
