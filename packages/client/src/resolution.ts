import { type Reader, text } from './readers.ts'
import { type ResolvedName, readResolvedName } from './rest.generated.ts'

type Shown = Pick<ResolvedName, 'name' | 'hasPunycode'>

/** A name whose record was validated by the server with DNSSEC, from the root's anchor down. */
export type Resolution = Shown &
  Pick<ResolvedName, 'offer'> & {
    /** The BIP-321 URI of the record. */
    readonly uri: string
  }

/** What the host of a Lightning Address says of it; a TLS certificate vouches for the host, nothing for the payee. */
export type AddressResolution = Shown &
  NonNullable<ResolvedName['lightningAddress']> & { readonly provenByDnssec: false }

export const readResolution: Reader<Resolution> = (value) => provenOf(readResolvedName(value))

export const readResolutionOrAddress: Reader<
  (Resolution & { readonly provenByDnssec: true }) | AddressResolution
> = (value) => {
  const resolved = readResolvedName(value)
  const { name, hasPunycode, provenByDnssec, lightningAddress } = resolved
  return provenByDnssec || lightningAddress === undefined
    ? { provenByDnssec: true, ...provenOf(resolved) }
    : { provenByDnssec, name, hasPunycode, ...lightningAddress }
}

function provenOf({ name, hasPunycode, uri, offer }: ResolvedName): Resolution {
  return { name, hasPunycode, uri: text(uri), ...(offer !== undefined && { offer }) }
}
