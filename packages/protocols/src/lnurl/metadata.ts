import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, type Hex } from '../hex.ts'
import { encodeUtf8 } from '../utf8.ts'
import { LnurlError } from './error.ts'

/** What LUD-06 metadata says that we show; entries of other types stay in the raw string, which is what is hashed. */
export type Metadata = {
  /** `text/plain`: short, shown when paying. */
  readonly description: string
  /** LUD-16: `text/identifier` or `text/email`. */
  readonly identifier?: string
}

/** For a Lightning Address: the same string at every call, because invoices commit to its hash. */
export function writeMetadata({ description, identifier }: Metadata): string {
  const entries = [['text/plain', description]]
  // LUD-16: "SERVICE MUST add to the metadata JSON array either a text/email entry or a text/identifier entry".
  if (identifier !== undefined) entries.push(['text/identifier', identifier])
  return JSON.stringify(entries)
}

/** Reads the raw metadata string of an answer. Throws `LnurlError('bad-answer')`. */
export function readMetadata(raw: string): Metadata {
  const entries = parse(raw)
  // LUD-06: "The metadata json array is only allowed to contain arrays", their first item "is always a string".
  if (!Array.isArray(entries) || !entries.every(isEntry))
    throw new LnurlError('bad-answer', 'the metadata is no array of typed entries')
  const textsOf = (type: string) => entries.filter(([name]) => name === type).map(([, content]) => content)
  // "must contain one text/plain entry".
  const [description, ...more] = textsOf('text/plain')
  if (typeof description !== 'string' || more.length > 0)
    throw new LnurlError('bad-answer', 'the metadata has not exactly one text/plain entry')
  const [identifier] = [...textsOf('text/identifier'), ...textsOf('text/email')]
  return { description, ...(typeof identifier === 'string' && { identifier }) }
}

/**
 * What the invoice must commit to: SHA-256 of the raw metadata (LUD-06), followed by the payer data exactly as it was
 * sent (LUD-18), in UTF-8.
 */
export function metadataHash(rawMetadata: string, rawPayerData = ''): Hex {
  return bytesToHex(sha256(encodeUtf8(rawMetadata + rawPayerData)))
}

/** The JSON value; throws `LnurlError('bad-answer')`. */
function parse(raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch (error) {
    throw new LnurlError('bad-answer', 'the metadata is no JSON', { cause: error })
  }
}

function isEntry(entry: unknown): entry is [string, ...unknown[]] {
  return Array.isArray(entry) && typeof entry[0] === 'string'
}
