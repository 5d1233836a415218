import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startChain } from '@holdfast/devnet/chain/chain-server'
import { lastingPort } from '@holdfast/lightning/lasting-port'
import { formatBindTrustAnchors, ROOT_ANCHORS } from '@holdfast/protocols/dnssec'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, readConfig } from './platform/config.ts'
import { makeLog } from './platform/log.ts'
import { makeShutdown } from './platform/shutdown.ts'
import { withDatabase } from './platform/testing/with-database.ts'
import { explainStartFailure } from './start-failure.ts'
import { startHoldfast } from './start-holdfast.ts'

const database = withDatabase()
const log = makeLog({ level: 'silent' })

let folder: string
let undo: (() => unknown)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-start-'))
  undo = [() => rmSync(folder, { recursive: true, force: true })]
})
afterEach(async () => {
  for (const step of undo.reverse()) await step()
})

/** What `npm start` says with these settings; null when it starts, or fails for a reason that it does not know. */
async function complaint(settings: NodeJS.ProcessEnv): Promise<string | null> {
  const config = readConfig({
    HOLDFAST_DATA_DIR: join(folder, 'data'),
    HOLDFAST_PORT: '0',
    HOLDFAST_DNS_PORT: '0',
    DATABASE_URL: database.ownerConnectionString.reveal(),
    ...settings,
  })
  const shutdown = makeShutdown({ log })
  try {
    await startHoldfast(config, log, shutdown)
    return null
  } catch (error) {
    return explainStartFailure(error, config)
  } finally {
    expect(await shutdown.run('the test ends')).toBe(true)
  }
}

/** Without the devnet, which takes longest. */
function bare(settings: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const anchorFile = join(folder, 'anchors.conf')
  writeFileSync(anchorFile, formatBindTrustAnchors(ROOT_ANCHORS))
  return {
    HOLDFAST_DEVNET: 'off',
    BITCOIND_URL: 'http://a:b@127.0.0.1:18443',
    HOLDFAST_DNS_PROVIDER: 'rfc2136',
    HOLDFAST_DNS_SERVER: '192.0.2.1',
    HOLDFAST_DNS_TSIG_KEY: `holdfast.:hmac-sha256:${Buffer.alloc(32, 1).toString('base64')}`,
    HOLDFAST_DNS_RESOLVER: '192.0.2.2',
    HOLDFAST_DNS_ANCHOR: anchorFile,
    ...settings,
  }
}

async function takeTcpPort(): Promise<number> {
  const server = createServer((_, response) => response.end('hello')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A bitcoind that answers every call with this result. */
async function bitcoindSaying(result: unknown): Promise<string> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id } = JSON.parse(Buffer.concat(chunks).toString()) as { id: unknown }
    response.end(JSON.stringify({ id, result, error: null }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  undo.push(() => server.close())
  return `http://user:pass-word@127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function lockedBitcoind(): Promise<string> {
  const chain = await startChain({ folder: join(folder, 'chain') })
  undo.push(() => chain.stop())
  const url = new URL(chain.url)
  url.password = 'pass-word'
  return url.href
}

const CASES: [string, () => Promise<NodeJS.ProcessEnv>, RegExp][] = [
  [
    'a bitcoind that is not there',
    async () => ({ BITCOIND_URL: `http://user:pass-word@127.0.0.1:${await lastingPort('127.0.0.1')}` }),
    /^The bitcoind at 127\.0\.0\.1:\d+ cannot be used: .*does not answer \(ECONNREFUSED\)\. Start it, or correct BITCOIND_URL\.$/,
  ],
  [
    'something that is no bitcoind',
    async () => ({ BITCOIND_URL: `http://user:pass-word@127.0.0.1:${await takeTcpPort()}` }),
    /^The bitcoind at .* cannot be used: .*the answer is not JSON\. Start it, or correct BITCOIND_URL\.$/,
  ],
  [
    'a bitcoind that refuses the password',
    async () => ({ BITCOIND_URL: await lockedBitcoind() }),
    /cannot be used: .*the user or password is wrong\. Start it, or correct BITCOIND_URL\.$/,
  ],
  [
    'a bitcoind with real money',
    async () => ({ BITCOIND_URL: await bitcoindSaying({ chain: 'main' }) }),
    /cannot be used: it is on the chain main, and the devnet needs regtest\. .*BITCOIND_URL\.$/,
  ],
  [
    'a PostgreSQL that is not there',
    async () => ({ DATABASE_URL: `postgres://user:pass-word@127.0.0.1:${await lastingPort('127.0.0.1')}/x` }),
    /^PostgreSQL at 127\.0\.0\.1:\d+ cannot be used: .*ECONNREFUSED.*\. Start it, or correct DATABASE_URL\.$/,
  ],
  [
    'the same by a host of several addresses',
    async () => ({ DATABASE_URL: `postgres://user:pass-word@localhost:${await lastingPort('127.0.0.1')}/x` }),
    /^PostgreSQL at localhost:\d+ cannot be used: .*ECONNREFUSED.*\. Start it, or correct DATABASE_URL\.$/,
  ],
  [
    'a PostgreSQL that refuses the password',
    async () => {
      const url = new URL(database.ownerConnectionString.reveal())
      url.password = 'pass-word'
      return { DATABASE_URL: url.href }
    },
    /cannot be used: password authentication failed.*\. Start it, or correct DATABASE_URL\.$/,
  ],
  [
    'a trust anchor that is not there',
    async () => ({ HOLDFAST_DNS_ANCHOR: join(folder, 'none') }),
    /^The trust anchor .*none cannot be used: ENOENT.*\. Correct the file, or name another in HOLDFAST_DNS_ANCHOR\.$/,
  ],
  [
    'a trust anchor that is a folder',
    async () => ({ HOLDFAST_DNS_ANCHOR: folder }),
    /cannot be used: EISDIR.*HOLDFAST_DNS_ANCHOR\.$/,
  ],
  [
    'a trust anchor that holds something else',
    async () => {
      writeFileSync(join(folder, 'other'), 'shop.test. IN A 192.0.2.1\n')
      return { HOLDFAST_DNS_ANCHOR: join(folder, 'other') }
    },
    /cannot be used: "shop\.test\. IN A 192\.0\.2\.1" is no DS or DNSKEY record\. .*HOLDFAST_DNS_ANCHOR\.$/,
  ],
  [
    'a port that is taken',
    async () => ({ HOLDFAST_PORT: String(await takeTcpPort()) }),
    /^Port \d+ of 127\.0\.0\.1 is taken\. Stop the program that uses it, or name another in HOLDFAST_PORT\.$/,
  ],
  [
    'an address that is not ours',
    async () => ({ HOLDFAST_HOST: '192.0.2.7', HOLDFAST_PORT: '3141' }),
    /^This machine has no address 192\.0\.2\.7\. Name one of its own in HOLDFAST_HOST, such as 127\.0\.0\.1\.$/,
  ],
  [
    'the same with any free port',
    async () => ({ HOLDFAST_HOST: '192.0.2.7' }),
    /^This machine has no address 192\.0\.2\.7\./,
  ],
  [
    'an address in a zone that is not there',
    async () => ({ HOLDFAST_HOST: 'fe80::1%nowhere' }),
    /^This machine has no address fe80::1%nowhere\. Name one of its own in HOLDFAST_HOST/,
  ],
  [
    'a host that is no name',
    async () => ({ HOLDFAST_HOST: 'x'.repeat(100_000) }),
    /^This machine has no address x+\. Name one of its own in HOLDFAST_HOST/,
  ],
  [
    'a program for zones that is not there',
    async () => ({ HOLDFAST_ZONE_HOOK: join(folder, 'hook') }),
    /^The program .*hook cannot be run: ENOENT.*name another in HOLDFAST_ZONE_HOOK\.$/,
  ],
  [
    'a program for zones that nobody may run',
    async () => {
      writeFileSync(join(folder, 'hook'), '#!/bin/sh', { mode: 0o644 })
      return { HOLDFAST_ZONE_HOOK: join(folder, 'hook') }
    },
    /^The program .*hook cannot be run: EACCES.*name another in HOLDFAST_ZONE_HOOK\.$/,
  ],
  [
    'a program for zones that is a folder',
    async () => ({ HOLDFAST_ZONE_HOOK: folder }),
    /^The program .* cannot be run: it is no file\..*name another in HOLDFAST_ZONE_HOOK\.$/,
  ],
  [
    'a data folder below a file',
    async () => {
      writeFileSync(join(folder, 'file'), '')
      return { HOLDFAST_DATA_DIR: join(folder, 'file', 'data') }
    },
    /^The data folder .* cannot be written: ENOTDIR.*HOLDFAST_DATA_DIR\.$/,
  ],
]

/** Those that the devnet alone needs; the others fail faster without it. */
const OF_THE_DEVNET = /bitcoind/

describe('a start that cannot go on because of', () => {
  test.each(CASES)(
    '%s says in one line what to do, ends what has come up, and tells no secret',
    async (what, settings, expected) => {
      const own = await settings()
      const said = await complaint(OF_THE_DEVNET.test(what) ? own : bare(own))
      expect(said).toMatch(expected)
      expect(said).not.toMatch(/\n|pass-word/)
    },
  )
})

describe('what a person can do about a failure', () => {
  const config = readConfig({ HOLDFAST_PORT: '80', HOLDFAST_DNS_PORT: '53', HOLDFAST_HOST: 'shop.test' })
  const failure = (members: object) => Object.assign(new Error('it failed'), members)
  test.each([
    [
      { code: 'EACCES', syscall: 'listen', port: 80 },
      'Port 80 of shop.test may not be used by this user. Name one from 1024 in HOLDFAST_PORT.',
    ],
    [
      { code: 'EACCES', syscall: 'bind', port: 53, address: '127.0.0.1' },
      'Port 53 of 127.0.0.1 may not be used by this user. Name one from 1024 in HOLDFAST_DNS_PORT.',
    ],
    [{ code: 'ENOTFOUND', hostname: 'shop.test' }, /^This machine has no address shop\.test\./],
    [{ code: 'EACCES', syscall: 'open', path: '/x' }, null],
    [{ code: 'EIO' }, null],
  ])('of %j', (members, expected) => {
    const said = explainStartFailure(failure(members), config)
    if (expected instanceof RegExp) expect(said).toMatch(expected)
    else expect(said).toBe(expected)
  })

  test('of a wrong configuration is what its error says', () => {
    expect(explainStartFailure(new ConfigError(['A=1: expected 2']), null)).toContain('A=1: expected 2')
  })

  test('is nothing where the fault is ours', () => {
    expect(explainStartFailure(new TypeError('x is not a function'), config)).toBeNull()
    expect(explainStartFailure(new Error('x'), null)).toBeNull()
  })
})
