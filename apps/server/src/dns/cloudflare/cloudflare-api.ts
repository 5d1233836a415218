import type { Ds } from '@holdfast/core/zones/zone-states'
import type { Secret } from '../../platform/secret.ts'

/** A TXT record as the API lists it; `content` is in the form of `txt-content.ts`. */
export type ApiRecord = { readonly id: string; readonly content: string; readonly ttl: number }

export type NewApiRecord = { readonly name: string; readonly content: string; readonly ttl: number }

/** Digests in lower-case hex. */
export type ApiDs = Ds & { readonly id: string }

export type NewApiDs = Ds & { readonly name: string; readonly ttl: number }

/** `pending`: it is on, and the parent has no DS yet; `pending-disabled`: it is off, and the parent has one still. */
export type DnssecStatus = 'active' | 'pending' | 'disabled' | 'pending-disabled' | 'error'

/** What a zone needs of Cloudflare's API. Every call throws `CloudflareApiError` and nothing else of the API's. */
export type CloudflareApi = {
  /** The ids of the zones of this name that the token may see; several accounts may have begun to set one up. */
  findZones(name: string): Promise<readonly { readonly id: string; readonly active: boolean }[]>
  listTxt(zoneId: string, name: string): Promise<readonly ApiRecord[]>
  /** Every TXT record of the zone. */
  listAllTxt(zoneId: string): AsyncIterable<ApiRecord & { readonly name: string }>
  createTxt(zoneId: string, record: NewApiRecord): Promise<ApiRecord>
  updateTxt(zoneId: string, id: string, record: NewApiRecord): Promise<ApiRecord>
  deleteRecord(zoneId: string, id: string): Promise<void>
  /** The DS records at a name below the zone's apex. */
  listDs(zoneId: string, name: string): Promise<readonly ApiDs[]>
  createDs(zoneId: string, record: NewApiDs): Promise<void>
  /** Null: the zone is not signed. */
  readDnssec(zoneId: string): Promise<DnssecStatus | null>
  switchDnssec(zoneId: string, on: boolean): Promise<DnssecStatus | null>
  /** Ends signing; refused while the parent has a DS. */
  deleteDnssec(zoneId: string): Promise<void>
}

export type CloudflareApiOptions = {
  /** An API token with Zone:Read and DNS:Edit. */
  readonly token: Secret<string>
  /** Default: Cloudflare's own. */
  readonly baseUrl?: string | undefined
  /** For one request; default 4 s. */
  readonly timeoutMs?: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}
