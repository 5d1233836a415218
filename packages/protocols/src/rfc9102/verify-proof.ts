import { typeName } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { parseName } from '../dns/names.ts'
import { DnsWireError } from '../dns/wire-error.ts'
import type { VerifySignature } from '../dnssec/algorithms.ts'
import type { TrustAnchor } from '../dnssec/anchors.ts'
import { validateTxt } from '../dnssec/resolve-txt.ts'
import type { TxtResolution } from '../dnssec/result.ts'
import { recordKey } from '../dnssec/rrset.ts'
import { checkTime } from '../dnssec/session.ts'
import { decodeAuthenticationChain } from './authentication-chain.ts'
import { excessRecord } from './excess-record.ts'
import { proofAnswers } from './proof-answers.ts'
import { type ValidityWindow, validityWindow } from './validity-window.ts'

export type VerifyProofOptions = {
  /** Seconds since 1970: the moment for which the proof must hold. */
  nowSeconds: number
  /** Default: the root's key signing keys. */
  anchors?: readonly TrustAnchor[]
  /**
   * How long ago signatures may have expired. BIP-353 allows up to 3,600, where a payment is signed some time after it
   * was prepared. Default 0.
   */
  expiryGraceSeconds?: number
  /** Default: the pure one; another must be as strict. */
  verifySignature?: VerifySignature
}

export type ProofVerification = {
  /** As the live validator gives it; never `unavailable`, as there is nothing to wait for. */
  readonly resolution: TxtResolution
  /** When the proof as a whole is valid; null when it cannot be read or holds no signature. */
  readonly window: ValidityWindow | null
}

/**
 * Verifies an RFC 9102 authentication chain for the TXT records at `name`, from the anchor down and without network: a
 * proof is but another messenger of the records that the live validator judges. The records may come in any order.
 * Beyond what the result rests on, only two kinds of records are tolerated: unsigned CNAMEs below a DNAME of the proof
 * (RFC 9102 §2.3) and further RRSIGs by the same zone over an RRset of the proof. All RRSIGs must be within their times.
 * @throws DnsWireError when `name` is no domain name, RangeError for a time that is none or a grace above an hour; every
 * other outcome is a value.
 */
export async function verifyProof(
  proof: Uint8Array,
  name: string,
  options: VerifyProofOptions,
): Promise<ProofVerification> {
  const { nowSeconds, expiryGraceSeconds = 0 } = options
  const target = parseName(name)
  checkTime(options)
  const records = readRecords(proof)
  if ('status' in records) return { resolution: records, window: null }
  const window = validityWindow(records, nowSeconds)
  const found = await validateTxt(target, proofAnswers(records), options)
  const resolution = accepted(found, records, window, nowSeconds, expiryGraceSeconds)
  return { resolution, window }
}

type BogusResolution = Extract<TxtResolution, { status: 'bogus' }>

function readRecords(proof: Uint8Array): ResourceRecord[] | BogusResolution {
  const malformed = (reason: string): BogusResolution => ({
    status: 'bogus',
    code: 'proof-malformed',
    reason,
  })
  try {
    const records = decodeAuthenticationChain(proof)
    // RFC 2181 §5: an RRset holds no record twice.
    const twice = new Set(records.map(recordKey)).size < records.length
    return twice ? malformed('a record stands twice in the proof') : records
  } catch (error) {
    if (!(error instanceof DnsWireError)) throw error
    return malformed(error.message)
  }
}

function accepted(
  found: TxtResolution,
  records: readonly ResourceRecord[],
  window: ValidityWindow | null,
  nowSeconds: number,
  expiryGraceSeconds: number,
): TxtResolution {
  if (!('chain' in found) || !window) return found
  const excess = excessRecord(records, found.chain)
  if (excess) {
    const reason = `nothing rests on the ${typeName(excess.type)} of ${excess.name}`
    return { status: 'bogus', code: 'proof-excess', reason }
  }
  // BIP-353: the times of "all contained RRSigs" count, those of the tolerated ones too.
  if (window.notBefore > nowSeconds) {
    const reason = 'a signature in the proof begins in the future'
    return { status: 'bogus', code: 'signature-not-yet-valid', reason }
  }
  if (window.notAfter + expiryGraceSeconds < nowSeconds) {
    return { status: 'bogus', code: 'signature-expired', reason: 'a signature in the proof has expired' }
  }
  return found
}
