import {
  isOfferExpiring,
  SIGNATURE_EXPIRES_SOON_MS,
  type UnhealthyReason,
} from '@holdfast/core/names/name-health'
import type { NameIn } from '@holdfast/core/names/name-states'
import { joinCharacterStrings, recordValue, selectInstruction } from '@holdfast/protocols/bip353'
import { TYPE } from '@holdfast/protocols/dns/codes'
import type { ResourceRecord } from '@holdfast/protocols/dns/message'
import { decodeRrsig } from '@holdfast/protocols/dns/rdata'
import type { TxtResolution } from '@holdfast/protocols/dnssec'
import { serialDistance } from '@holdfast/protocols/dnssec/signature-time'

export type Finding =
  | { readonly health: 'healthy' }
  | {
      readonly health: 'unhealthy'
      readonly reason: UnhealthyReason
      /** The one value that stands in the place of the record. */
      readonly found?: string
    }
  /** The DNS gave no usable answer, which says nothing about the name. */
  | { readonly health: 'unknown' }

const ASCII = /^[\x20-\x7e]+$/
const POINTS_TO_RECORD: ReadonlySet<number> = new Set([TYPE.TXT, TYPE.CNAME, TYPE.DNAME])

/** What a validated answer says of a live name; what stops payments goes before what soon will. */
export function examineName(state: NameIn<'active'>, resolution: TxtResolution, now: number): Finding {
  switch (resolution.status) {
    case 'unavailable':
      return { health: 'unknown' }
    case 'nxdomain':
    case 'nodata':
      return unhealthy('not-found')
    case 'insecure':
      return unhealthy('zone-unsigned')
    case 'bogus':
      return unhealthy(resolution.code === 'signature-expired' ? 'signature-expired' : 'bogus')
    case 'secure': {
      const wrong = examineRecord(state, resolution.values)
      if (wrong !== null) return wrong
      if (nextExpiryMs(resolution.chain, now) < SIGNATURE_EXPIRES_SOON_MS)
        return unhealthy('signature-expires-soon')
      return isOfferExpiring(state.live, now) ? unhealthy('offer-expiring') : { health: 'healthy' }
    }
  }
}

function unhealthy(reason: UnhealthyReason): Finding {
  return { health: 'unhealthy', reason }
}

/** BIP-353: what does not begin with `bitcoin:` is ignored; of what does there may be one only. */
function examineRecord({ live }: NameIn<'active'>, values: readonly Uint8Array[]): Finding | null {
  const selected = selectInstruction(values.map((value) => joinCharacterStrings([value])))
  if ('problem' in selected) return unhealthy(selected.problem === 'none' ? 'not-found' : 'second-record')
  const { uri } = selected
  if (uri === recordValue(live.offer)) return null
  return { ...unhealthy('content-changed'), ...(ASCII.test(uri) && { found: uri }) }
}

/**
 * In how many milliseconds the first signature expires in the zones that hold the record and the aliases to it. The
 * zones above them are looked after by others, who may renew theirs late.
 */
function nextExpiryMs(chain: readonly ResourceRecord[], now: number): number {
  const signatures = chain.filter(({ type }) => type === TYPE.RRSIG).map(({ rdata }) => decodeRrsig(rdata))
  const zones = new Set(
    signatures
      .filter(({ typeCovered }) => POINTS_TO_RECORD.has(typeCovered))
      .map(({ signerName }) => signerName.toLowerCase()),
  )
  const nowSeconds = Math.floor(now / 1000)
  const left = signatures
    .filter(({ signerName }) => zones.has(signerName.toLowerCase()))
    .map(({ expiration }) => serialDistance(nowSeconds, expiration))
  return Math.min(...left) * 1000
}
