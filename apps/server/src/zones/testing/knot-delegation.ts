import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort, makeFolder, requiredProgram, startService } from '@holdfast/devnet/testing/service-process'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { decodeDnskey, decodeDs } from '@holdfast/protocols/dns/rdata'
import type { TrustAnchor } from '@holdfast/protocols/dnssec'
import { makeQuery } from '../../dns/dns-transport.ts'
import { type ActOnZone, dsText } from '../act-on-zone.ts'
import { awaitCds } from '../await-cds.ts'

/** In seconds: small, so that a whole plan with all its waits fits into a test. */
export const ZONE_TTL = 2
export const DS_TTL = 3
/** Resolvers count in whole seconds, and answers travel. */
const CACHE_MARGIN = 5

export type KnotDelegation = {
  /** Serves the parent `test.`, signed from the start, and trusted. */
  readonly parent: string
  /** Serves `shop.test.`, unsigned at first. */
  readonly child: string
  readonly anchors: readonly TrustAnchor[]
  /** Signs, unsigns and rolls the child by Knot's own means, and changes the DS at the parent. */
  readonly act: ActOnZone
  stop(): Promise<void>
}

/**
 * Two of Debian's Knot servers: a signed parent, and the zone that is to come under it. With `cds` the DS is never
 * published here but taken from the child's CDS records, by a double of a registry that reads them. A rollover leads to
 * keys of the algorithm `rollTo`.
 */
export async function startKnotDelegation({ cds = false, rollTo = ALGORITHM } = {}): Promise<KnotDelegation> {
  const parent = await startKnot({
    zone: 'test',
    signing: true,
    records: `shop ${ZONE_TTL} NS ns1.shop
ns1.shop ${ZONE_TTL} A 127.0.0.1`,
  })
  const child = await startKnot({
    zone: 'shop.test',
    signing: false,
    parent: parent.server,
    records: `alice.user._bitcoin-payment ${ZONE_TTL} TXT "bitcoin:?lno=lno1alice"`,
  })
  const registry = cds ? readCds(child.server, (ds) => parent.replace('shop', 'DS', ds, DS_TTL)) : null
  const cdsSeen = awaitCds(async () => [child.server])
  return {
    parent: parent.server,
    child: child.server,
    anchors: await anchorsOf(parent.server),
    async act(request) {
      const { action, ds } = request
      // Not before: a registry that is quick would take the DS while unsigned answers are remembered.
      if (cds && action === 'publish-ds') await child.sign(true, { publish: 'always' })
      if (cds && action === 'withdraw-ds') await child.sign(true, { publish: 'delete-dnssec' })
      if (cds && (action === 'publish-ds' || action === 'withdraw-ds')) return cdsSeen(request)
      switch (action) {
        case 'sign':
          await child.sign(true)
          break
        case 'unsign':
          await child.sign(false)
          break
        case 'publish-ds':
          await parent.replace('shop', 'DS', ds.map(dsText), DS_TTL)
          break
        case 'withdraw-ds':
          await parent.replace('shop', 'DS', [], DS_TTL)
          break
        case 'add-key':
          if (rollTo === ALGORITHM) await child.knotc('zone-key-rollover', 'shop.test', 'ksk')
          else await child.sign(true, { algorithm: rollTo })
          break
        case 'remove-key':
          // Knot asks the parent by itself and removes the old key in its own time.
          break
      }
      return 'done'
    },
    async stop() {
      await registry?.stop()
      await child.stop()
      await parent.stop()
    },
  }
}

/**
 * A DOUBLE of a registry that follows CDS records (RFC 7344 §4.1, RFC 8078 §3): it looks at them all the time, and
 * believes at once what a real one would believe after days or a signature.
 */
function readCds(child: string, show: (ds: readonly string[]) => Promise<void>) {
  const stopped = new AbortController()
  const query = makeQuery({ servers: [child], timeoutMs: 1_000, rounds: 1, failuresToBreak: 1_000 })
  let shown = ''
  const look = async () => {
    const answer = await query('shop.test', TYPE.CDS).catch(() => null)
    const sets = answer === null ? [] : decodeMessage(answer).answer.filter(({ type }) => type === TYPE.CDS)
    if (sets.length === 0) return
    const wanted = sets
      .map(({ rdata }) => decodeDs(rdata))
      .filter(({ algorithm }) => algorithm !== 0)
      .map(({ digest, ...ds }) => dsText({ ...ds, digest: Buffer.from(digest).toString('hex') }))
    if (wanted.join() === shown) return
    await show(wanted)
    shown = wanted.join()
  }
  const looking = (async () => {
    while (!stopped.signal.aborted) {
      await look()
      await sleep(200)
    }
  })()
  return {
    async stop() {
      stopped.abort()
      await looking
    },
  }
}

const ALGORITHM = 'ecdsap256sha256'

type Policy = { algorithm?: string; publish?: 'none' | 'always' | 'delete-dnssec' }
type Options = { zone: string; signing: boolean; records: string; parent?: string }

async function startKnot(options: Options) {
  const { folder, remove } = makeFolder('knot')
  const port = await freePort()
  const server = `127.0.0.1:${port}`
  const file = join(folder, 'knot.conf')
  const configure = (signing: boolean, policy: Policy = {}) =>
    writeFileSync(file, configuration({ ...options, ...policy, signing, folder, port }))
  const knotc = async (...args: string[]) => {
    await promisify(execFile)(requiredProgram('HOLDFAST_KNOTC'), [
      '-b',
      '-s',
      join(folder, 'knot.sock'),
      ...args,
    ])
  }
  mkdirSync(join(folder, 'db'))
  writeFileSync(join(folder, 'zone'), zoneFile(options))
  configure(options.signing)
  const query = makeQuery({ servers: [server], timeoutMs: 500, rounds: 1, failuresToBreak: 1_000 })
  const isReady = async () => {
    const answer = await query(options.zone, options.signing ? TYPE.DNSKEY : TYPE.SOA).catch(() => null)
    return answer !== null && decodeMessage(answer).answer.length > 0
  }
  try {
    const service = await startService(requiredProgram('HOLDFAST_KNOTD'), ['-c', file], {
      cwd: folder,
      isReady,
    })
    return {
      server,
      knotc,
      /** Switched off, the zone is again what its file says. */
      async sign(signing: boolean, policy?: Policy) {
        configure(signing, policy)
        writeFileSync(join(folder, 'zone'), zoneFile(options))
        await knotc('reload')
      },
      async replace(owner: string, type: string, values: readonly string[], ttl: number) {
        const name = `${owner}.${options.zone}.`
        await knotc('zone-begin', options.zone)
        await knotc('zone-unset', options.zone, name, type).catch(() => undefined)
        for (const value of values)
          await knotc('zone-set', options.zone, name, String(ttl), type, ...value.split(' '))
        await knotc('zone-commit', options.zone)
      },
      async stop() {
        await service.stop()
        remove()
      },
    }
  } catch (fault) {
    remove()
    throw fault
  }
}

async function anchorsOf(server: string): Promise<TrustAnchor[]> {
  const query = makeQuery({ servers: [server], timeoutMs: 1_000 })
  return decodeMessage(await query('test', TYPE.DNSKEY))
    .answer.filter(({ type }) => type === TYPE.DNSKEY)
    .map(({ rdata }) => ({ zone: 'test.', kind: 'dnskey', key: decodeDnskey(rdata) }))
}

function zoneFile({ zone, records }: Options): string {
  return `$ORIGIN ${zone}.
@ ${ZONE_TTL} SOA ns1 root ${Math.floor(Date.now() / 1000)} 60 60 600 ${ZONE_TTL}
@ ${ZONE_TTL} NS ns1
ns1 ${ZONE_TTL} A 127.0.0.1
${records}
`
}

function configuration(options: Options & Policy & { folder: string; port: number }): string {
  const { folder, port, zone, signing, algorithm = ALGORITHM, publish = 'none', parent } = options
  const submission = parent
    ? `remote:
  - id: parent
    address: ${parent.replace(':', '@')}
submission:
  - id: parent
    parent: parent
    check-interval: 1
    # Knot removes the old key when the DS's TTL is over, to the second.
    parent-delay: ${CACHE_MARGIN}
`
    : ''
  return `server:
    rundir: "${folder}"
    listen: 127.0.0.1@${port}
control:
    listen: knot.sock
database:
    storage: "${folder}/db"
log:
  - target: stderr
    any: info
${submission}policy:
  - id: quick
    algorithm: ${algorithm}
    dnskey-ttl: ${ZONE_TTL}
    zone-max-ttl: ${ZONE_TTL}
    propagation-delay: 3
    cds-cdnskey-publish: ${publish}
${parent ? '    ksk-submission: parent\n' : ''}zone:
  - domain: ${zone}
    storage: "${folder}"
    file: zone
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
    dnssec-signing: ${signing ? 'on' : 'off'}
    dnssec-policy: quick
`
}
