import type { Ds } from '@holdfast/core/zones/zone-states'
import { RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage } from '@holdfast/protocols/dns/message'
import { encodeDs } from '@holdfast/protocols/dns/rdata'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type ScriptedDnsServer, startScriptedDnsServer } from '../dns/testing/scripted-dns-server.ts'
import { awaitCds } from './await-cds.ts'

const DOMAIN = 'shop.test'
const K1: Ds = { keyTag: 1, algorithm: 13, digestType: 2, digest: 'aa'.repeat(32) }
const K1_SHA384: Ds = { ...K1, digestType: 4, digest: 'cc'.repeat(48) }
const K2: Ds = { ...K1, keyTag: 2, digest: 'bb'.repeat(32) }
const REMOVE_ALL: Ds = { keyTag: 0, algorithm: 0, digestType: 0, digest: '00' }
const { signal } = new AbortController()

let servers: ScriptedDnsServer[]
beforeEach(async () => {
  servers = [await startScriptedDnsServer(() => []), await startScriptedDnsServer(() => [])]
})
afterEach(() => Promise.all(servers.map((server) => server.stop())))

/** From now on each server shows its own. */
function show(...sets: Ds[][]): void {
  for (const [index, server] of servers.entries()) {
    const records = sets[index] ?? sets[0] ?? []
    server.follow(({ wire }) => {
      const { flags, ...asked } = decodeMessage(wire)
      const answer = records.map(({ digest, ...ds }) => ({
        name: DOMAIN,
        type: TYPE.CDS,
        class: 1,
        ttl: 60,
        rdata: encodeDs({ ...ds, digest: new Uint8Array(Buffer.from(digest, 'hex')) }),
      }))
      const authoritative = { ...flags, response: true, authoritative: true }
      return [encodeMessage({ ...asked, flags: authoritative, rcode: RCODE.NOERROR, answer })]
    })
  }
}

const act = awaitCds(async () => servers.map(({ server }) => server))
const publish = (...ds: Ds[]) => act({ domain: DOMAIN, action: 'publish-ds', ds, signal })
const withdraw = () => act({ domain: DOMAIN, action: 'withdraw-ds', ds: [], signal })

test('the parent may take the DS when every server shows just its CDS, in whatever digests', async () => {
  show([K1])
  expect(await publish(K1)).toBe('done')
  show([K1_SHA384, K1])
  expect(await publish(K1)).toBe('done')
  show([K2, K1])
  expect(await publish(K1, K2)).toBe('done')
})

test.each<[what: string, sets: Ds[][], reason: string]>([
  ['none', [[]], 'shows no CDS, but the parent needs CDS 1 13 2 AAAA'],
  ['those of another key', [[K2]], 'shows CDS 2 13 2 BBBB'],
  ['those of one key more', [[K1, K2]], 'CDS 2 13 2 BBBB'],
  ['other digests only', [[K1_SHA384]], 'shows CDS 1 13 4 CCCC'],
  ['the wish to remove all', [[REMOVE_ALL]], 'shows CDS 0 0 0 00'],
  ['them at one server only', [[K1], []], 'shows no CDS'],
])('it may not when the servers show %s', async (_what, sets, reason) => {
  show(...sets)
  await expect(publish(K1)).rejects.toThrow(reason)
})

test('it removes the DS when every server asks for that (RFC 8078 §4)', async () => {
  show([REMOVE_ALL])
  expect(await withdraw()).toBe('done')
  show([K1])
  await expect(withdraw()).rejects.toThrow('but the parent needs CDS 0 0 0 00')
  show([])
  await expect(withdraw()).rejects.toThrow('shows no CDS')
})

test('keys are not its affair, and of a server that refuses nothing is concluded', async () => {
  for (const action of ['sign', 'unsign', 'add-key', 'remove-key'] as const)
    expect(await act({ domain: DOMAIN, action, ds: [], signal })).toBe('by-person')
  show([K1])
  servers[1]?.follow(({ wire }) => {
    const { flags, ...asked } = decodeMessage(wire)
    return [encodeMessage({ ...asked, flags: { ...flags, response: true }, rcode: RCODE.REFUSED })]
  })
  await expect(publish(K1)).rejects.toThrow('REFUSED')
})
