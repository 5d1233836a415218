import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { playDemo } from './demo/play-demo.ts'
import { jsonTeller, terminalTeller } from './demo/teller.ts'
import { readConfig } from './platform/config.ts'
import { makeLog } from './platform/log.ts'
import { clearPostgres } from './platform/postgres/open-postgres.ts'
import { makeShutdown } from './platform/shutdown.ts'
import { type Ready, readyTable } from './ready-table.ts'
import { startHoldfast } from './start-holdfast.ts'

/** The whole embedded world, in this process. */

const WITHIN_MS = 120_000
const AMOUNT_MSAT = 21_000_000n

const log = makeLog({ level: 'silent' })
const shutdown = makeShutdown({ log })
const dataDir = mkdtempSync(join(tmpdir(), 'holdfast-whole-'))
const env = { HOLDFAST_DATA_DIR: dataDir, HOLDFAST_PORT: '0', HOLDFAST_DNS_PORT: '0' }
const servers: EventEmitter[] = []
const keepServer = (message: unknown) => servers.push((message as { server: EventEmitter }).server)

let ready: Ready

beforeAll(async () => {
  // As root, PostgreSQL runs as another user, who must reach its cluster in here.
  chmodSync(dataDir, 0o711)
  subscribe('tracing:net.server.listen:asyncStart', keepServer)
  ready = await startHoldfast(readConfig(env), log, shutdown)
  unsubscribe('tracing:net.server.listen:asyncStart', keepServer)
}, WITHIN_MS)
afterAll(async () => {
  await shutdown.run('the tests end')
  await clearPostgres(dataDir, log)
  rmSync(dataDir, { recursive: true, force: true })
}, WITHIN_MS)

async function play(wish: { user?: string; amountMsat?: string; json?: boolean }) {
  const [lines, complaints]: [string[], string[]] = [[], []]
  const teller = wish.json
    ? jsonTeller((line) => lines.push(line))
    : terminalTeller(
        (line) => lines.push(line),
        (line) => complaints.push(line),
      )
  const { user = 'alice', amountMsat = String(AMOUNT_MSAT) } = wish
  const code = await playDemo({ env, user, amountMsat }, teller)
  return { code, text: lines.join('\n'), complaint: complaints.join('\n') }
}

describe('what npm start brings up', () => {
  test('says where it is, to a person and to programs', () => {
    expect(readyTable(ready)).toMatch(
      new RegExp(
        `Holdfast is ready \\(\\d+\\.\\d s\\)\\n\\n  Web +${ready.url}\\n  API docs +${ready.url}/docs\\n`,
      ),
    )
    expect(ready.dns?.anchorFile).toBe(join(dataDir, 'dns', 'trust-anchors.conf'))
    expect(JSON.parse(readFileSync(join(dataDir, 'server.json'), 'utf8'))).toEqual({
      url: ready.url,
      pid: process.pid,
      dns: ready.dns,
    })
  })

  test.each(['/', '/health', '/ready', '/docs', '/openapi.json', '/problems', '/graphql?query={__typename}'])(
    'serves %s',
    async (path) => {
      expect((await fetch(new URL(path, ready.url))).status).toBe(200)
    },
  )

  test('says of its REST routes what is published', async () => {
    const { servers, ...said } = await (await fetch(new URL('/openapi.json', ready.url))).json()
    const { servers: _, ...published } = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../docs/api/openapi.json'), 'utf8'),
    )
    expect(said).toEqual(published)
    expect(servers).toEqual([{ url: ready.url }])
  })

  test('says of GraphQL what is published', async () => {
    const said = await fetch(new URL('/schema.graphql', ready.url))
    expect(said.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await said.text()).toBe(
      readFileSync(join(import.meta.dirname, '../../../docs/api/schema.graphql'), 'utf8'),
    )
  })

  test('serves the addresses that early integrators know', async () => {
    const [alias, route] = await Promise.all(
      ['/status', '/v1/jobs'].map(async (path) => {
        const response = await fetch(new URL(`${path}/00000000-0000-4000-8000-000000000000`, ready.url))
        const { code } = (await response.json()) as { code: string }
        return { status: response.status, code }
      }),
    )
    expect(alias).toEqual(route)
    expect(alias?.status).toBeGreaterThanOrEqual(400)
  })

  test('goes on when a listening socket fails', async () => {
    expect(servers.length).toBeGreaterThan(1)
    for (const server of servers) server.emit('error', new Error('a connection could not be accepted'))
    expect((await fetch(new URL('/ready', ready.url))).status).toBe(200)
  })
})

describe('the demo on it', () => {
  test(
    'is told to a person with its proof',
    async () => {
      const { code, text, complaint } = await play({})
      expect({ code, complaint }).toEqual({ code: 0, complaint: '' })
      // Where lines are broken is the layout's affair.
      const told = text.replaceAll(/\s+/g, ' ')
      for (const line of [
        /The server at http.* is running\./,
        /█+ 100 %/,
        /₿alice@shop\.test is live: signed, published, validated/,
        /Bob pays 21 000 sat over Lightning, fee /,
        /preimage [0-9a-f]{64} /,
        /Merchant 5 000 000 sat → 5 021 000 sat/,
        /Escrow 1 of 4: an order is delivered and paid/,
        /Dave’s payment is pending; the operator cannot claim it: it has no preimage/,
        /Dave 5 000 000 sat → 4 989 887\.899 sat \(routing cost him 11\.101 sat\), Carol 5 000 000 sat → 5 010 000 sat/,
        /! SIMULATED: /,
      ])
        expect(told).toMatch(line)
      expect(text).not.toContain('The server ends now')
      expect((await play({ amountMsat: '1001' })).text).toMatch(
        /Alice holds ₿alice@shop\.test already\.[\s\S]*Bob pays 1\.001 sat/,
      )
    },
    WITHIN_MS,
  )

  test(
    'is told to a program, one object a line',
    async () => {
      const { code, text } = await play({ json: true, user: '₿BREAD' })
      const lines = text.split('\n').map((line) => JSON.parse(line))
      expect(code).toBe(0)
      expect(lines[0]).toEqual({ step: 'server-found', url: ready.url })
      expect(lines.at(-1)).toMatchObject({
        ok: true,
        name: 'bread@shop.test',
        amountMsat: String(AMOUNT_MSAT),
        recordName: 'bread.user._bitcoin-payment.shop.test',
        escrows: [
          { outcome: 'released' },
          { outcome: 'refunded' },
          { outcome: 'split' },
          { outcome: 'premature' },
        ],
      })
      expect(lines.filter(({ simulated }) => simulated).map(({ step }) => step)).toEqual(['escrow-leaked'])
    },
    WITHIN_MS,
  )

  test.each([
    ['an amount of nothing', { amountMsat: '0' }, 'AMOUNT_INVALID'],
    ['a name that nobody may have', { user: 'admin' }, 'NAME_RESERVED'],
    ['more than bob has', { amountMsat: '9000000000' }, 'PAYMENT_INSUFFICIENT_FUNDS'],
  ])('ends on %s with its code', async (_, wish, expected) => {
    const { code, complaint } = await play(wish)
    expect({ code, complaint }).toEqual({ code: 1, complaint: expect.stringContaining(`${expected}: `) })
    expect(complaint.split(expected)).toHaveLength(2)
    const { text } = await play({ ...wish, json: true })
    expect(JSON.parse(text.split('\n').at(-1) ?? '')).toMatchObject({ ok: false, code: expected })
  })

  test('ends on a wrong configuration with its code', async () => {
    const lines: string[] = []
    const wish = { env: { HOLDFAST_PORT: 'many' }, user: 'alice', amountMsat: '1' }
    expect(
      await playDemo(
        wish,
        jsonTeller((line) => lines.push(line)),
      ),
    ).toBe(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ ok: false, code: 'CONFIG_INVALID' })
  })
})

test('the end leaves nothing behind that says it runs', async () => {
  expect(await shutdown.run('the last test')).toBe(true)
  expect(existsSync(join(dataDir, 'server.json'))).toBe(false)
  await expect(fetch(new URL('/health', ready.url))).rejects.toThrow()
})
