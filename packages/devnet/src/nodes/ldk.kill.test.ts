import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { isTrue, outcomeOf } from '@holdfast/lightning/contract/contract-world'
import { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { makeLdkWorld, NODE_NAMES } from './ldk-world.ts'

const KILLS = Number(process.env.HOLDFAST_KILLS ?? 40)
const SEED = Number(process.env.HOLDFAST_KILL_SEED ?? 1)
const LONGEST_LIFE_MS = 1_500
const CHILD = fileURLToPath(new URL('./testing/killed-child.ts', import.meta.url))

type Asked = { paymentId: string; paymentHash: string; accepted: boolean }

describe('SIGKILL at any moment', () => {
  test(
    `${KILLS} kills during payments lose no channel, no accepted payment, no held HTLC and no msat (seed ${SEED})`,
    async () => {
      const world = await makeLdkWorld({ startChain: (folder) => startChain({ folder }) })
      try {
        const held = await reachHeld(world)
        await world.stopHost()
        const random = seeded(SEED)
        const asked = new Map<string, Asked>()
        for (let kill = 0; kill < KILLS; kill++) await liveAndDie(world, random() * LONGEST_LIFE_MS, asked)
        expect(asked.size).toBeGreaterThan(KILLS)

        await world.startHost()
        await world.usable()
        const { payer, payee } = world
        expect(await payee.holdInvoices.lookup(held.paymentHash)).toMatchObject({ state: 'held' })
        for (const { paymentId, paymentHash, accepted } of asked.values()) {
          const known = await payer.payer.lookup(paymentId)
          if (accepted) expect(known).not.toBeNull()
          const outcome = known && (await outcomeOf(payer, paymentId))
          const received = await payee.invoices.lookup(paymentHash)
          const paid = outcome?.state === 'succeeded'
          expect({ outcome: outcome?.state, received: received?.state }).toEqual({
            outcome: outcome === null ? undefined : paid ? 'succeeded' : 'failed',
            received: paid ? 'paid' : 'open',
          })
        }
        await payee.holdInvoices.settle(held.paymentHash, held.preimage)
        expect(await outcomeOf(payer, held.paymentId)).toMatchObject({ state: 'succeeded' })
        await isTrue('every msat is there', async () => {
          const balances = await Promise.all(NODE_NAMES.map((name) => world[name].funds.balance()))
          return balances.reduce((sum, { lightningMsat }) => sum + lightningMsat, 0n) === 20_000_000_000n
        })
        expect(world.logged.filter((line) => line.includes('outcome of a payment is not known'))).toEqual([])
      } finally {
        await world.stop()
      }
    },
    KILLS * 6_000 + 120_000,
  )
})

/** Runs the child until `lifeMs` after its nodes were open, or already kills it while it opens them. */
async function liveAndDie(
  world: Awaited<ReturnType<typeof makeLdkWorld>>,
  lifeMs: number,
  asked: Map<string, Asked>,
): Promise<void> {
  const nodes = Object.fromEntries(
    NODE_NAMES.map((name) => {
      const options = world.optionsOf(name)
      return [name, { ...options, seed: Buffer.from(options.seed).toString('hex') }]
    }),
  )
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ url: world.url, nodes })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const lines: string[] = []
  let rest = ''
  let armed = false
  const arm = () => {
    if (!armed) setTimeout(() => child.kill('SIGKILL'), lifeMs)
    armed = true
  }
  // A third of the lives are counted from the process's start, so that kills also hit the opening.
  if (lifeMs % 3 < 1) arm()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    if (parts.includes('open')) arm()
  })
  await ended
  for (const line of lines) {
    const [kind, paymentId, paymentHash] = line.split(' ')
    if (kind === 'error') throw new Error(`The child reported: ${line}`)
    if (!paymentId || !paymentHash) continue
    asked.set(paymentId, { paymentId, paymentHash, accepted: kind === 'accepted' })
  }
}

/** mulberry32: small, and the same on every machine. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
