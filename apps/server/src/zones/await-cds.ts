import { sameDs } from '@holdfast/core/zones/zone-facts'
import type { Ds, ZoneAction } from '@holdfast/core/zones/zone-states'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { sameName } from '@holdfast/protocols/dns/names'
import { decodeDs } from '@holdfast/protocols/dns/rdata'
import { type ActOnZone, dsText } from './act-on-zone.ts'
import { askServer } from './ask-server.ts'

const SHA256 = 2
const TIMEOUT_MS = 3_000
/** RFC 8078 §4: "CDS 0 0 0 00" asks the parent to remove all DS records. */
const REMOVE_ALL: Ds = { keyTag: 0, algorithm: 0, digestType: 0, digest: '00' }

/**
 * The parent takes the DS from the zone's CDS records by itself (RFC 7344, RFC 8078). All that is to be done is that
 * every server of the zone shows the right ones; what is wrong with them is what the plan's problem says.
 */
export function awaitCds(serversOf: (domain: string) => Promise<readonly string[]>): ActOnZone {
  return async ({ domain, action, ds }) => {
    const wanted = wantedCds(action, ds)
    if (wanted === null) return 'by-person'
    for (const server of await serversOf(domain)) {
      const shown = await cdsAt(server, domain)
      // Other digests of the same keys may stand beside those that the plan speaks of.
      const compared =
        action === 'publish-ds' ? shown.filter(({ digestType }) => digestType === SHA256) : shown
      if (compared.length === 0 || !sameDs(compared, wanted))
        throw new Error(`${server} shows ${textOf(shown)}, but the parent needs ${textOf(wanted)}`)
    }
    return 'done'
  }
}

function wantedCds(action: ZoneAction, ds: readonly Ds[]): readonly Ds[] | null {
  switch (action) {
    case 'publish-ds':
      return ds
    case 'withdraw-ds':
      return [REMOVE_ALL]
    case 'sign':
    case 'unsign':
    case 'add-key':
    case 'remove-key':
      return null
  }
}

async function cdsAt(server: string, domain: string): Promise<Ds[]> {
  const { answer } = await askServer(server, domain, TYPE.CDS, TIMEOUT_MS)
  return answer
    .filter(({ type, name }) => type === TYPE.CDS && sameName(name, domain))
    .map(({ rdata }) => decodeDs(rdata))
    .map(({ digest, ...ds }) => ({ ...ds, digest: Buffer.from(digest).toString('hex') }))
}

function textOf(records: readonly Ds[]): string {
  return records.length === 0 ? 'no CDS' : records.map((ds) => `CDS ${dsText(ds)}`).join(', ')
}
