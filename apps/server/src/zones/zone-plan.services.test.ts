import { setTimeout as sleep } from 'node:timers/promises'
import type { ZonePhase } from '@holdfast/core/zones/zone-states'
import { rcodeName, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, dnssecQuery, encodeMessage } from '@holdfast/protocols/dns/message'
import { makeVerifiedSignatures, resolveTxt, type TxtResolution } from '@holdfast/protocols/dnssec'
import { expect, test } from 'vitest'
import { exchange } from '../dns/dns-exchange.ts'
import { makeQuery } from '../dns/dns-transport.ts'
import { startUnbound } from '../dns/resolvers/testing/unbound.ts'
import { parseServerAddress } from '../dns/server-address.ts'
import { startWorker } from '../platform/jobs.ts'
import { makeLog } from '../platform/log.ts'
import { withDatabase } from '../platform/testing/with-database.ts'
import { makeObserveZone } from './observe-zone.ts'
import { DS_TTL, type KnotDelegation, startKnotDelegation, ZONE_TTL } from './testing/knot-delegation.ts'
import { requestZone } from './zone-saga.ts'
import { findZone } from './zone-store.ts'
import { makeZonesSlice } from './zones-slice.ts'

const DOMAIN = 'shop.test'
const ALICE = `alice.user._bitcoin-payment.${DOMAIN}`
/** What goes wrong for some milliseconds only must meet one of them. */
const STREAMS = 4
const [ECDSA_P256, ECDSA_P384] = [13, 14]
const database = withDatabase()

test.each([
  ['changes the DS itself', {}, ECDSA_P256],
  ['changes the algorithm in its rollover', { rollTo: 'ecdsap384sha384' }, ECDSA_P384],
  ['has a registry take the DS from CDS records', { cds: true }, ECDSA_P256],
])(
  'a plan that %s signs, rolls and unsigns while queries stream, and no validating query fails',
  async (_how, options, algorithm) => {
    await using started = new AsyncDisposableStack()
    const knot = started.adopt(await startKnotDelegation(options), (servers) => servers.stop())
    const unbound = started.adopt(await startUnbound(resolves(knot), { validates: true }), (resolver) =>
      resolver.stop(),
    )
    const clock = Date.now
    const query = makeQuery({ servers: [unbound.server], timeoutMs: 3_000 })
    const { verify: verifySignature } = makeVerifiedSignatures()
    const resolve = (name: string, nowSeconds: number) =>
      resolveTxt(name, { query, anchors: knot.anchors, nowSeconds, verifySignature })
    const zones = makeZonesSlice({
      transact: database.transact,
      database: database.database,
      identity: { mutate: () => Promise.reject(new Error('not asked here')) },
      observe: makeObserveZone({
        serversOf: () => ({ zone: async () => [knot.child], parent: async () => [knot.parent] }),
        resolveTxt: resolve,
        clock,
      }),
      act: knot.act,
      clock,
      maxTtlSeconds: ZONE_TTL,
      assumedDsTtlSeconds: DS_TTL,
    })
    const log = makeLog({ level: 'silent' })
    const worker = await startWorker({ database: database.database, tasks: zones.tasks, concurrency: 2, log })
    const stopped = new AbortController()
    const ask = {
      rcode: () => rcodeAt(unbound.server),
      verdict: () => resolve(ALICE, Math.floor(clock() / 1000)),
    }
    const streams = Array.from({ length: STREAMS }, () => stream(stopped.signal, ask))
    const plan = (kind: 'sign' | 'unsign' | 'roll') =>
      database.transact((tx) =>
        requestZone(tx, { domain: DOMAIN, command: { kind }, by: 'operator', now: clock() }),
      )
    const reaches = (phase: ZonePhase['phase']) =>
      expect
        .poll(async () => (await findZone(database.db, DOMAIN))?.phase, { timeout: 120_000, interval: 50 })
        .toBe(phase)
    try {
      await zones.adopt([DOMAIN])
      await plan('sign')
      await reaches('signed')
      const first = await findZone(database.db, DOMAIN)
      await plan('roll')
      await reaches('key-adding')
      await reaches('signed')
      expect(await findZone(database.db, DOMAIN)).not.toMatchObject({
        ds: first && 'ds' in first && first.ds,
      })
      expect(await findZone(database.db, DOMAIN)).toMatchObject({ ds: [{ algorithm }] })
      await plan('unsign')
      await reaches('unsigned')
    } finally {
      stopped.abort()
      await worker.stop()
    }
    for (const { failures, asked, secure } of await Promise.all(streams)) {
      expect(failures).toEqual([])
      expect(secure).toBeGreaterThan(0)
      expect(asked).toBeGreaterThan(secure)
    }
  },
  400_000,
)

/** Asks all the time, through Unbound with its cache as a wallet does, and judges its verdict and ours, each once. */
async function stream(
  stopped: AbortSignal,
  ask: { rcode: () => Promise<string>; verdict: () => ReturnType<typeof resolveTxt> },
) {
  const failures: string[] = []
  let asked = 0
  let secure = 0
  while (!stopped.aborted) {
    asked++
    const rcode = await ask.rcode()
    if (rcode !== 'NOERROR') failures.push(`unbound: ${rcode} at query ${asked}`)
    const verdict = await ask.verdict()
    if (verdict.status === 'secure') secure++
    else if (verdict.status !== 'insecure') failures.push(`ours at query ${asked}: ${explain(verdict)}`)
    await sleep(10)
  }
  return { failures, asked, secure }
}

function explain(verdict: TxtResolution): string {
  return 'reason' in verdict ? `${verdict.status}, ${verdict.reason}` : verdict.status
}

function resolves({ parent, child, anchors }: KnotDelegation) {
  return {
    anchors,
    stubs: [
      { zone: 'test', server: parent },
      { zone: DOMAIN, server: child },
    ],
  }
}

/** How a resolver answers a user who trusts its validation: SERVFAIL where it refuses what it found. */
async function rcodeAt(server: string): Promise<string> {
  const { flags, ...query } = dnssecQuery(Math.floor(Math.random() * 65_536), ALICE, TYPE.TXT)
  const wire = encodeMessage({ ...query, flags: { ...flags, checkingDisabled: false } })
  const limits = { timeoutMs: 5_000, maxResponseBytes: 65_535 }
  return rcodeName(decodeMessage(await exchange(parseServerAddress(server), wire, limits)).rcode)
}
