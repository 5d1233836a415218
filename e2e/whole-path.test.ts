import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { makeLog } from '@holdfast/server/platform/log'
import { clearPostgres } from '@holdfast/server/platform/postgres/open-postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { processesOf } from './support/processes-of.ts'
import { runProgram } from './support/run-program.ts'
import { makeDataDir, ServerProcess } from './support/server-process.ts'

const DEMO = 'apps/server/src/demo/main.ts'
/** Many times what a quiet machine needs: two servers are started and play the whole demo. */
const WITHIN_MS = 400_000

type EscrowEnd = {
  outcome: string
  fundingHash: string
  preimage: string | null
  heldMsat: string
  paidMsat: string
  feeMsat: string
  journalHead: string
}

const hex32 = expect.stringMatching(/^[0-9a-f]{64}$/)
const msat = expect.stringMatching(/^[0-9]+$/)

async function runDemo(dataDir: string, args: readonly string[] = []) {
  const { code, stdout, stderr } = await runProgram(DEMO, ['--json', ...args], { HOLDFAST_DATA_DIR: dataDir })
  const lines = stdout.trim().split('\n')
  const last = JSON.parse(lines.at(-1) ?? '') as Record<string, string> & { escrows?: EscrowEnd[] }
  const told = lines.slice(0, -1).map((line) => JSON.parse(line))
  return { code, stderr, told, steps: told.map(({ step }) => step), last }
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

const sha256 = (hex: string) => createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')

/** Every row is as promised, and what can be checked of it holds. */
function expectEscrows({ last, told }: Awaited<ReturnType<typeof runDemo>>) {
  const rows = last.escrows ?? []
  const preimages = [hex32, null, hex32, hex32]
  expect(rows).toEqual(
    ['released', 'refunded', 'split', 'premature'].map((outcome, index) => ({
      outcome,
      custody: 'hash-locked',
      fundingHash: hex32,
      payoutHash: rows[index]?.fundingHash,
      preimage: preimages[index],
      heldMsat: msat,
      paidMsat: msat,
      feeMsat: msat,
      journalHead: hex32,
    })),
  )
  for (const { preimage, fundingHash } of rows)
    if (preimage !== null) expect(sha256(preimage)).toBe(fundingHash)
  const [released, refunded, split, premature] = rows.map(({ heldMsat, paidMsat, feeMsat }) => ({
    backMsat: BigInt(heldMsat) - BigInt(paidMsat) - BigInt(feeMsat),
    paidMsat: BigInt(paidMsat),
  }))
  expect(released).toEqual({ backMsat: 0n, paidMsat: 10_000_000n })
  expect(refunded).toEqual({ backMsat: BigInt(rows[1]?.heldMsat ?? ''), paidMsat: 0n })
  expect(split?.backMsat).toBeGreaterThan(0n)
  expect(split?.paidMsat).toBe(6_000_000n)
  expect(premature).toEqual({ backMsat: BigInt(rows[3]?.heldMsat ?? ''), paidMsat: 0n })
  // What the wallets show agrees with it, to the millisatoshi.
  const endings = told.filter(({ step }) => step === 'escrow-ended')
  for (const [index, ending] of endings.entries()) {
    const of = (key: string) => BigInt(ending[key])
    const back = [released, refunded, split, premature][index]?.backMsat ?? 0n
    const spent = BigInt(rows[index]?.heldMsat ?? '') - back + of('routingMsat')
    expect(of('buyerBefore') - of('buyerAfter')).toBe(spent)
    expect(of('workerAfter') - of('workerBefore')).toBe(BigInt(rows[index]?.paidMsat ?? ''))
  }
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
      expect(first).toMatchObject({ code: 0, stderr: '', last: { ok: true } })
      expect(first.steps).toEqual(
        expect.arrayContaining(['server-starting', 'server-ready', 'name-requested', 'name-active', 'paid']),
      )
      expectProof(first.last, 21_000_000n)
      expectEscrows(first)

      const second = await runDemo(dataDir, ['--amount', '1234567'])
      expect(second).toMatchObject({ code: 0, stderr: '', last: { ok: true } })
      expect(second.steps).toContain('name-already-registered')
      expectProof(second.last, 1_234_567n)
      expectEscrows(second)
      expect(second.last.buyerBefore).toBe(first.last.buyerAfter)
      expect(second.last.merchantBefore).toBe(first.last.merchantAfter)
      expect(processesOf(dataDir, -1)).toEqual([])
    },
    WITHIN_MS,
  )
})

/**
 * The heads of the demo are those of the journal, which verifies, holds no preimage, and names for whatever a person did
 * the request that was signed.
 */
async function expectJournalTells(dataDir: string, escrows: EscrowEnd[]) {
  const audit = (args: readonly string[]) =>
    runProgram('apps/cli/src/main.ts', ['audit', ...args, '--data', dataDir], { DATABASE_URL: '' })
  const verified = await audit(['verify', '--json'])
  expect(verified).toMatchObject({ code: 0 })
  expect(JSON.parse(verified.stdout).signatures).toMatchObject({ before: 0 })
  const { stdout } = await audit(['export'])
  const heads = new Map<string, string>()
  const proven = new Set<string>()
  for (const line of stdout.trim().split('\n')) {
    const { stream, entityId, hash, actor, data } = JSON.parse(line)
    if (stream === 'escrow') heads.set(entityId, hash)
    if (data?.signedRequest !== undefined) proven.add(stream)
    if (stream !== undefined)
      expect([actor, data.signedRequest !== undefined]).toEqual([actor, /^[0-9a-f]{64}$/.test(actor)])
  }
  expect([...heads.values()].sort()).toEqual(escrows.map(({ journalHead }) => journalHead).sort())
  expect([...proven].sort()).toEqual(['escrow', 'escrow-report', 'name', 'payment'])
  for (const { preimage } of escrows) if (preimage !== null) expect(stdout).not.toContain(preimage)
}

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

      const played = await runDemo(server.dataDir)
      expect(played).toMatchObject({ code: 0, stderr: '', last: { ok: true } })
      await expectJournalTells(server.dataDir, played.last.escrows ?? [])

      expect(await server.stop()).toBe(0)
      expect(processesOf(server.dataDir, pid)).toEqual([])
    },
    WITHIN_MS,
  )
})
