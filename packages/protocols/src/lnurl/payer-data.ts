import { isPoint } from '#secp256k1'
import { hexToBytes, isHex } from '../hex.ts'
import { isObject } from './answer.ts'
import { LnurlError } from './error.ts'

/** The kinds of payer data (LUD-18) that we ask for or send; `auth` and `email` are not among them. */
export const PAYER_DATA_KINDS = ['name', 'pubkey', 'identifier'] as const
export type PayerDataKind = (typeof PAYER_DATA_KINDS)[number]

/** What a service wants to know of the payer; a kind that is absent is not wanted. */
export type PayerDataWish = { readonly [Kind in PayerDataKind]?: { readonly mandatory: boolean } }

/** What a payer tells of themselves; nobody has verified it. */
export type PayerData = { readonly [Kind in PayerDataKind]?: string }

const MAX_CHARACTERS = 1_000
const MAX_FIELD_CHARACTERS = 200

/**
 * Reads the raw `payerdata` of a callback against what was asked for. Fields that were not asked for are left out here
 * but stay in the raw string, all of which the invoice commits to. Throws `LnurlError('bad-payer-data')`.
 */
export function readPayerData(raw: string, wish: PayerDataWish): PayerData {
  const sent = parseObject(raw)
  const kinds = PAYER_DATA_KINDS.filter((kind) => wish[kind] !== undefined)
  const data: Partial<Record<PayerDataKind, string>> = {}
  for (const kind of kinds) {
    const value = sent[kind]
    if (value === undefined || value === null) {
      // "if any is marked as "mandatory": true then WALLET MUST send".
      if (wish[kind]?.mandatory) throw new LnurlError('bad-payer-data', `${kind} is needed`)
      continue
    }
    if (typeof value !== 'string' || !IS_WELL_FORMED[kind](value))
      throw new LnurlError('bad-payer-data', `${kind} is malformed`)
    data[kind] = value
  }
  return data
}

function parseObject(raw: string): Record<string, unknown> {
  if (raw.length > MAX_CHARACTERS)
    throw new LnurlError('bad-payer-data', `the payer data exceeds ${MAX_CHARACTERS} characters`)
  let value: unknown
  try {
    value = JSON.parse(raw)
  } catch (error) {
    throw new LnurlError('bad-payer-data', 'the payer data is no JSON', { cause: error })
  }
  if (!isObject(value)) throw new LnurlError('bad-payer-data', 'the payer data is no JSON object')
  return value
}

const IS_WELL_FORMED: Record<PayerDataKind, (value: string) => boolean> = {
  name: (value) => value.length <= MAX_FIELD_CHARACTERS && /^[^\p{Cc}\p{Cs}]+$/u.test(value),
  // "hex(<randomly generated secp256k1 pubkey>)".
  pubkey: (value) => isHex(value, 33) && isPoint(hexToBytes(value)),
  // LUD-16's form of an internet identifier.
  identifier: (value) =>
    value.length <= MAX_FIELD_CHARACTERS && /^[a-z0-9._+-]+@[a-z0-9.-]+(:\d{1,5})?$/i.test(value),
}
