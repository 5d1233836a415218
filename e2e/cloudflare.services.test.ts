import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec/anchors'
import {
  type CloudflareDouble,
  startCloudflareDouble,
} from '@holdfast/server/dns/cloudflare/testing/cloudflare-double'
import { type RunningUnbound, startUnbound } from '@holdfast/server/dns/resolvers/testing/unbound'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runProgram } from './support/run-program.ts'
import { ServerProcess } from './support/server-process.ts'

/**
 * The whole path with the domain's zone behind a double of Cloudflare's API (no request leaves this machine), and a
 * real Unbound that must see every record.
 */

const DOMAIN = 'shop.test'
const WITHIN_MS = 600_000

/** They tell the tests where the services are; to the server they would be misspelled settings. */
const NO_TEST_VARIABLES: NodeJS.ProcessEnv = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('HOLDFAST_'))
    .map((name) => [name, undefined]),
)

let cloudflare: CloudflareDouble
let unbound: RunningUnbound
let server: ServerProcess | undefined

beforeAll(async () => {
  cloudflare = await startCloudflareDouble(DOMAIN)
  unbound = await startUnbound(cloudflare.zone, { validates: true })
}, WITHIN_MS)
afterAll(async () => {
  await server?.remove()
  await unbound?.stop()
  await cloudflare?.stop()
})

test(
  'a name on Cloudflare is published with one write, seen by resolvers, validated and paid',
  async () => {
    server = new ServerProcess(NO_TEST_VARIABLES)
    const [domains, anchor] = ['domains.json', 'anchor'].map((file) => join(server!.dataDir, file)) as [
      string,
      string,
    ]
    const { token, url: api, server: authoritative } = cloudflare
    writeFileSync(
      domains,
      JSON.stringify([
        { domain: DOMAIN, provider: 'cloudflare', token, api, authoritative: [authoritative] },
      ]),
    )
    writeFileSync(anchor, formatBindTrustAnchors(cloudflare.zone.anchors))
    const env = {
      ...NO_TEST_VARIABLES,
      HOLDFAST_DOMAINS_FILE: domains,
      HOLDFAST_DNS_RESOLVER: authoritative,
      HOLDFAST_DNS_ANCHOR: anchor,
      HOLDFAST_DNS_CONFIRM_BY: `${unbound.server},tcp://${unbound.server},${unbound.doh}`,
      HOLDFAST_DNS_CONFIRM_QUORUM: '2',
    }
    server = new ServerProcess(env, server.dataDir)
    const { url } = await server.start()

    const demo = { ...env, HOLDFAST_DATA_DIR: server.dataDir }
    const played = await runProgram('apps/server/src/demo/main.ts', ['--json'], demo, () => undefined)
    expect(played).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(played.stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ ok: true })

    const read = async (path: string) =>
      (await fetch(`${url}${path}`)).json() as Promise<Record<string, unknown>>
    const { jobId, uri } = await read('/v1/names/alice@shop.test')
    const { stepsDone } = (await read(`/v1/jobs/${jobId}`)) as { stepsDone: { step: string }[] }
    expect(stepsDone.map(({ step }) => step)).toContain('resolvers-confirmed')
    expect(cloudflare.records).toMatchObject([{ name: `alice.user._bitcoin-payment.${DOMAIN}`, ttl: 60 }])
    expect(cloudflare.records[0]?.content.replaceAll('" "', '')).toBe(`"${uri}"`)
    const zone = `/zones/${cloudflare.zoneId}/dns_records`
    // Before it the server has tried out whether it may write, by a record that it took back.
    const writes = cloudflare.calls.filter((call) => !call.startsWith('GET'))
    expect(writes).toEqual([`POST ${zone}`, expect.stringContaining(`DELETE ${zone}/`), `POST ${zone}`])
    const { dependencies } = await read('/ready')
    expect(dependencies).toContainEqual(
      expect.objectContaining({ name: `zone ${DOMAIN}`, ok: true, detail: '1 of 1 servers answer' }),
    )
  },
  WITHIN_MS,
)
