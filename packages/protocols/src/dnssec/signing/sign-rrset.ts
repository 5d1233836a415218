import { CLASS, TYPE } from '../../dns/codes.ts'
import type { ResourceRecord } from '../../dns/message.ts'
import type { Name } from '../../dns/names.ts'
import { type Dnskey, encodeRrsig } from '../../dns/rdata.ts'
import { keyTag } from '../keys.ts'
import { signedData, signedLabelCount } from '../rrset.ts'

/** A DNSKEY with the private half behind `sign`, which takes the data and hashes it itself. */
export type ZoneKey = { dnskey: Dnskey; sign: (data: Uint8Array) => Uint8Array }

/** Seconds since 1970. */
export type SignatureWindow = { inception: number; expiration: number }

/** The RRSIG of one RRset (RFC 4034 §3). `records` must share owner, type and TTL. */
export function signRrset(
  records: readonly [ResourceRecord, ...ResourceRecord[]],
  zone: Name,
  { dnskey, sign }: ZoneKey,
  { inception, expiration }: SignatureWindow,
): ResourceRecord {
  const [{ name, type, ttl }] = records
  const head = {
    typeCovered: type,
    algorithm: dnskey.algorithm,
    labels: signedLabelCount(name),
    originalTtl: ttl,
    expiration: expiration % 2 ** 32,
    inception: inception % 2 ** 32,
    keyTag: keyTag(dnskey),
    signerName: zone,
  }
  const signature = sign(signedData({ name, type, records: [...records], signatures: [] }, head))
  return { name, type: TYPE.RRSIG, class: CLASS.IN, ttl, rdata: encodeRrsig({ ...head, signature }) }
}
