import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { makeLog } from '@holdfast/server/platform/log'
import { clearPostgres } from '@holdfast/server/platform/postgres/open-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { processesOf } from './support/processes-of.ts'
import { runProgram } from './support/run-program.ts'
import { makeDataDir, ServerProcess } from './support/server-process.ts'

const DEMO = 'apps/server/src/demo/main.ts'
const WITHIN_MS = 120_000

const hex32 = expect.stringMatching(/^[0-9a-f]{64}$/)
const msat = expect.stringMatching(/^[0-9]+$/)

async function runDemo(dataDir: string, args: readonly string[] = []) {
  const { code, stdout, stderr } = await runProgram(DEMO, ['--json', ...args], { HOLDFAST_DATA_DIR: dataDir })
  const lines = stdout.trim().split('\n')
  const last = JSON.parse(lines.at(-1) ?? '') as Record<string, string>
  return { code, stderr, steps: lines.slice(0, -1).map((line) => JSON.parse(line).step), last }
}

function expectProof(last: Record<string, string>, amountMsat: bigint) {
  expect(last).toMatchObject({
    ok: true,
    name: 'alice@shop.test',
    offer: expect.stringMatching(/^lno1[a-z0-9]+$/),
    paymentHash: hex32,
    preimage: hex32,
    amountMsat: String(amountMsat),
    feeMsat: msat,
    buyerBefore: msat,
    buyerAfter: msat,
    merchantBefore: msat,
    merchantAfter: msat,
    timings: { registerMs: expect.any(Number), resolveMs: expect.any(Number), payMs: expect.any(Number) },
  })
  expect(last.txt).toBe(`bitcoin:?lno=${last.offer}`)
  const preimage = Buffer.from(last.preimage ?? '', 'hex')
  expect(createHash('sha256').update(preimage).digest('hex')).toBe(last.paymentHash)
  const of = (key: string) => BigInt(last[key] ?? '')
  expect(of('merchantAfter') - of('merchantBefore')).toBe(amountMsat)
  expect(of('buyerBefore') - of('buyerAfter')).toBe(amountMsat + of('feeMsat'))
}

describe('the demo on a fresh data folder', () => {
  const dataDir = makeDataDir()
  afterAll(async () => {
    await clearPostgres(dataDir, makeLog({ level: 'silent' }))
    rmSync(dataDir, { recursive: true, force: true })
  })

  test(
    'registers the name, pays it, proves it, and does so again on the same folder',
    async () => {
      const first = await runDemo(dataDir)
      expect(first).toMatchObject({ code: 0, stderr: '' })
      expect(first.steps).toEqual(
        expect.arrayContaining(['server-starting', 'server-ready', 'name-requested', 'name-active', 'paid']),
      )
      expectProof(first.last, 21_000_000n)

      const second = await runDemo(dataDir, ['--amount', '1234567'])
      expect(second).toMatchObject({ code: 0, stderr: '' })
      expect(second.steps).toContain('name-already-registered')
      expectProof(second.last, 1_234_567n)
      expect(second.last.buyerBefore).toBe(first.last.buyerAfter)
      expect(second.last.merchantBefore).toBe(first.last.merchantAfter)
      expect(processesOf(dataDir, -1)).toEqual([])
    },
    WITHIN_MS,
  )
})

describe('a running server', () => {
  const server = new ServerProcess()
  afterAll(() => server.remove())

  test(
    'serves the demo, refuses a second server on its folder, and leaves nothing running behind',
    async () => {
      const { pid } = await server.start()
      const env = { HOLDFAST_DATA_DIR: server.dataDir, HOLDFAST_PORT: '0', HOLDFAST_DNS_PORT: '0' }
      const [second, zero, tooMuch] = await Promise.all([
        runProgram('apps/server/src/main.ts', [], env),
        runDemo(server.dataDir, ['--amount', '0']),
        runDemo(server.dataDir, ['--amount', '9000000000']),
      ])
      expect(second.code).toBe(1)
      expect(second.stderr).toBe(
        `Another Holdfast (process ${pid}) uses the data folder ${server.dataDir}. Stop it, or name another folder in HOLDFAST_DATA_DIR.\n`,
      )
      expect(zero).toMatchObject({ code: 1, last: { ok: false, code: 'AMOUNT_INVALID' } })
      expect(tooMuch).toMatchObject({
        code: 1,
        last: { ok: false, code: expect.stringMatching(/^PAYMENT_/) },
      })
      expect(tooMuch.steps).toContain('server-found')

      expect(await server.stop()).toBe(0)
      expect(processesOf(server.dataDir, pid)).toEqual([])
    },
    WITHIN_MS,
  )
})
