import { TYPE } from '../dns/codes.ts'
import type { ResourceRecord } from '../dns/message.ts'
import { decodeRrsig } from '../dns/rdata.ts'
import { serialDistance } from '../dnssec/signature-time.ts'

/** When every signature is valid: seconds since 1970, both ends included. */
export type ValidityWindow = { readonly notBefore: number; readonly notAfter: number }

/** The window of all RRSIGs among the records; null without one. Serial times are read as those closest to now. */
export function validityWindow(
  records: readonly ResourceRecord[],
  nowSeconds: number,
): ValidityWindow | null {
  const signatures = records.filter(({ type }) => type === TYPE.RRSIG).map(({ rdata }) => decodeRrsig(rdata))
  if (signatures.length === 0) return null
  const time = (serial: number) => nowSeconds + serialDistance(nowSeconds, serial)
  return {
    notBefore: Math.max(...signatures.map(({ inception }) => time(inception))),
    notAfter: Math.min(...signatures.map(({ expiration }) => time(expiration))),
  }
}
