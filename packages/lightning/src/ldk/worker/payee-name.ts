import { randomBytes } from 'node:crypto'
import { merkleRoot, readTlvStream, type TlvRecord, writeTlvStream } from '@holdfast/protocols/bolt12'
import { schnorr } from '@noble/curves/secp256k1.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { HumanReadableName } from 'lightningdevkit'
import { signSchnorr } from 'tiny-secp256k1'
import { NodeError } from '../../ports.ts'
import { fromHex, toHex } from './bytes.ts'
import { isNull } from './channels.ts'
import { type OfferKeys, payerSecret, publicKeyOf } from './offer-keys.ts'

/** BOLT 12 `invoice_request`: the types of its fields that are dealt with here. */
const FIELD = { metadata: 0n, payerId: 88n, bip353Name: 91n } as const
/** BOLT 12: "signature TLV elements" have these types, and are not signed themselves. */
const SIGNATURES = { from: 240n, to: 1000n } as const

/** BOLT 12: "if name or domain contain any bytes which are not 0-9, a-z, A-Z, -, _ or .: MUST reject". */
const NAME = /^(?<user>[0-9a-z._-]{1,255})@(?<domain>[0-9a-z._-]{1,255})$/i

/** What the payer of an invoice request, or of what was received for it, calls the payee; null: nothing. */
export function payeeOf(name: HumanReadableName): string | null {
  return isNull(name) ? null : `${name.user()}@${name.domain()}`.toLowerCase()
}

/** Field 91: the user and the domain, each behind its length in one byte. Throws `NodeError('invalid')`. */
export function encodePayee(payee: string): Uint8Array {
  const { user, domain } = NAME.exec(payee)?.groups ?? {}
  if (user === undefined || domain === undefined)
    throw new NodeError('invalid', `${payee} is no BIP-353 name.`)
  return concatBytes(...[user, domain].flatMap((part) => [Uint8Array.of(part.length), utf8ToBytes(part)]))
}

/**
 * The invoice request of this node that says by which name the offer was found, as BOLT 12 asks of who used BIP-353. LDK
 * itself says so only of names that it resolved. Null: the request is not as this LDK makes them.
 */
export function nameThePayee(
  request: Uint8Array,
  payee: string,
  { keys, nonce }: { keys: OfferKeys; nonce: Uint8Array },
): Uint8Array | null {
  const records = readTlvStream(request).filter(({ type }) => type < SIGNATURES.from || type > SIGNATURES.to)
  const metadata = records.find(({ type }) => type === FIELD.metadata)
  const payerId = records.find(({ type }) => type === FIELD.payerId)
  if (!metadata || !payerId) return null
  const fields = records.filter((record) => record !== metadata && record !== payerId)
  const secretFor = (these: readonly TlvRecord[]) =>
    payerSecret(keys, { metadata: metadata.value, nonce }, writeTlvStream(these))
  // That our arithmetic gives LDK's own key says that it will know the invoice again under the new one.
  if (publicKeyOf(secretFor(fields)) !== toHex(payerId.value)) return null
  const named = ascending([...fields, { type: FIELD.bip353Name, value: encodePayee(payee) }])
  const secret = secretFor(named)
  const signed = ascending([metadata, ...named, { ...payerId, value: fromHex(publicKeyOf(secret)) }])
  return writeTlvStream(ascending([...signed, { type: SIGNATURES.from, value: sign(signed, secret) }]))
}

/** BOLT 12, "Signature Calculation". */
function sign(records: readonly TlvRecord[], secret: Uint8Array): Uint8Array {
  const tag = ['lightning', 'invoice_request', 'signature'].join('')
  return signSchnorr(schnorr.utils.taggedHash(tag, merkleRoot(records)), secret, randomBytes(32))
}

function ascending(records: readonly TlvRecord[]): TlvRecord[] {
  return [...records].sort((a, b) => (a.type < b.type ? -1 : 1))
}
