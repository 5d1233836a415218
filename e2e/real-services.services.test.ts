import { randomBytes } from 'node:crypto'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeBitcoinRpc } from '@holdfast/devnet/chain/rpc-client'
import { type RunningBitcoind, startBitcoind } from '@holdfast/devnet/testing/bitcoind'
import { type RunningPostgres, startPostgres } from '@holdfast/devnet/testing/postgres'
import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { decodeDnskey, decodeTxt } from '@holdfast/protocols/dns/rdata'
import { formatBindTrustAnchors } from '@holdfast/protocols/dnssec'
import { makeQuery } from '@holdfast/server/dns/dns-transport'
import { type RunningKnot, startKnotZone } from '@holdfast/server/dns/testing/knot'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest'
import { runProgram } from './support/run-program.ts'
import { makeDataDir, ServerProcess } from './support/server-process.ts'

/** The whole path once more, with each embedded part replaced by the real service that it stands for. */

const DOMAIN = 'shop.test'
const RECORD = `alice.user._bitcoin-payment.${DOMAIN}`
/** For what hangs: a quiet machine takes 10 s, one with twenty times as much to do 100 s. */
const WITHIN_MS = 600_000

/** They tell the tests where the services are; to the server they would be misspelled settings. */
const NO_TEST_VARIABLES: NodeJS.ProcessEnv = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('HOLDFAST_'))
    .map((name) => [name, undefined]),
)

let bitcoind: RunningBitcoind
let postgres: RunningPostgres
let knot: RunningKnot
let server: ServerProcess | undefined
/** Notes what happens, with the second of the test, to be shown if it fails. */
let tell: (text: string) => void

beforeEach(() => {
  const began = performance.now()
  const story: string[] = []
  const at = () => `${((performance.now() - began) / 1000).toFixed(1)} s`
  tell = (text) => story.push(`${at()} ${text}`)
  onTestFailed(() =>
    console.error(`${story.join('\n')}\nfailed after ${at()}; the server said:\n${server?.output}`),
  )
})
beforeAll(async () => {
  bitcoind = await startBitcoind()
  postgres = await startPostgres()
  knot = await startKnotZone(DOMAIN, 'hmac-sha256')
}, WITHIN_MS)
afterEach(() => server?.remove())
afterAll(() => Promise.all([bitcoind?.stop(), postgres?.stop(), knot?.stop()]))

async function freshDatabase(): Promise<string> {
  const name = `holdfast_${randomBytes(8).toString('hex')}`
  const client = new pg.Client({ connectionString: postgres.url })
  await client.connect()
  try {
    await client.query(`create database ${name}`)
  } finally {
    await client.end()
  }
  const url = new URL(postgres.url)
  url.pathname = name
  return url.href
}

const askKnot = async (name: string, type: number) =>
  decodeMessage(await makeQuery({ servers: [knot.server], timeoutMs: 2_000 })(name, type)).answer

/** Knot holds no root, so its zone is trusted by the keys that it shows. */
async function writeAnchorOfKnot(file: string) {
  const keys = (await askKnot(DOMAIN, TYPE.DNSKEY)).filter(({ type }) => type === TYPE.DNSKEY)
  const anchors = keys.map(({ rdata }) => ({
    zone: `${DOMAIN}.`,
    kind: 'dnskey' as const,
    key: decodeDnskey(rdata),
  }))
  writeFileSync(file, formatBindTrustAnchors(anchors))
}

function settingsOfKnot(anchorFile: string): NodeJS.ProcessEnv {
  const { name, algorithm, secret } = knot.key
  return {
    HOLDFAST_DNS_PROVIDER: 'rfc2136',
    HOLDFAST_DNS_SERVER: knot.server,
    HOLDFAST_DNS_TSIG_KEY: `${name}:${algorithm}:${Buffer.from(secret.reveal()).toString('base64')}`,
    // Its zone names 127.0.0.1, but it cannot have port 53 there.
    HOLDFAST_DNS_AUTHORITATIVE: knot.server,
    HOLDFAST_DNS_RESOLVER: knot.server,
    HOLDFAST_DNS_ANCHOR: anchorFile,
  }
}

async function playDemo(env: NodeJS.ProcessEnv, dataDir: string) {
  const { code, stdout, stderr } = await runProgram(
    'apps/server/src/demo/main.ts',
    ['--json'],
    { ...env, HOLDFAST_DATA_DIR: dataDir },
    (text) => tell(text.trim()),
  )
  const lines = stdout.trim().split('\n')
  return { code, stderr, last: JSON.parse(lines.at(-1) ?? '') as Record<string, string> }
}

test(
  'a real bitcoind and a real PostgreSQL change nothing else, before and after a kill -9',
  async () => {
    const env = { ...NO_TEST_VARIABLES, BITCOIND_URL: bitcoind.url, DATABASE_URL: await freshDatabase() }
    server = new ServerProcess({ ...env, LOG_LEVEL: 'info' })
    await server.start()
    tell('the server is ready')
    const first = await playDemo(env, server.dataDir)
    expect(first).toMatchObject({ code: 0, stderr: '', last: { ok: true, amountMsat: '21000000' } })
    expect(await makeBitcoinRpc(bitcoind.url).getBlockCount()).toBeGreaterThan(121)
    for (const embedded of ['postgres', join('devnet', 'chain')])
      expect(existsSync(join(server.dataDir, embedded)), embedded).toBe(false)

    await server.kill()
    await server.start()
    tell('the server is ready again')
    const second = await playDemo(env, server.dataDir)
    expect(second).toMatchObject({ code: 0, stderr: '', last: { ok: true, offer: first.last.offer } })
    expect(second.last.merchantBefore).toBe(first.last.merchantAfter)
  },
  WITHIN_MS,
)

test(
  'with Knot besides, the name is published, seen and validated there',
  async () => {
    const dataDir = makeDataDir()
    const anchorFile = join(dataDir, 'knot-anchor.conf')
    await writeAnchorOfKnot(anchorFile)
    const env = {
      ...NO_TEST_VARIABLES,
      BITCOIND_URL: bitcoind.url,
      DATABASE_URL: await freshDatabase(),
      ...settingsOfKnot(anchorFile),
    }
    server = new ServerProcess({ ...env, LOG_LEVEL: 'info' }, dataDir)
    await server.start()
    const demo = await playDemo(env, dataDir)
    expect(demo).toMatchObject({ code: 0, stderr: '', last: { ok: true } })
    const published = await askKnot(RECORD, TYPE.TXT)
    expect(published.map(({ type }) => type)).toEqual(expect.arrayContaining([TYPE.TXT, TYPE.RRSIG]))
    const [value] = published.filter(({ type }) => type === TYPE.TXT).map(({ rdata }) => decodeTxt(rdata))
    expect(Buffer.concat(value ?? []).toString()).toBe(`bitcoin:?lno=${demo.last.offer}`)
  },
  WITHIN_MS,
)
