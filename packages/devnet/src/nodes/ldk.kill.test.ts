import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { NodeEvent } from '@holdfast/lightning'
import {
  allEvents,
  eventually,
  type FullNode,
  isTrue,
  outcomeOf,
} from '@holdfast/lightning/contract/contract-world'
import { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { describe, expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { type LdkWorld, makeLdkWorld, NODE_NAMES } from './ldk-world.ts'

const KILLS = Number(process.env.HOLDFAST_TEST_KILLS ?? 40)
const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 1)
const LONGEST_LIFE_MS = 1_500
/** For what hangs. */
const MOST_PER_KILL_MS = 60_000
const CHILD = fileURLToPath(new URL('./testing/killed-child.ts', import.meta.url))

type Asked = { paymentId: string; paymentHash: string; accepted: boolean }
type Hold = { paymentId: string; paymentHash: string; preimage: string; settled: boolean }
type Promised = { asked: Map<string, Asked>; holds: Map<string, Hold> }

describe('SIGKILL at any moment', () => {
  test(
    `${KILLS} kills during payments lose no channel, no accepted payment, no held HTLC and no msat (seed ${SEED})`,
    async () => {
      const world = await makeLdkWorld({ startChain: (folder) => startChain({ folder }) })
      try {
        const held = await reachHeld(world)
        await world.stopHost()
        const random = seeded(SEED)
        const promised: Promised = { asked: new Map(), holds: new Map() }
        for (let kill = 1; kill <= KILLS; kill++) {
          await liveAndDie(world, random() * LONGEST_LIFE_MS, promised)
          if (kill % 20 === 0)
            console.log(`  ${kill} kills, ${promised.asked.size} payments and ${promised.holds.size} holds`)
        }
        expect(promised.asked.size).toBeGreaterThan(KILLS)
        expect(promised.holds.size).toBeGreaterThan(KILLS / 2)

        await world.startHost()
        await world.usable()
        const { payer, payee } = world
        expect(await payee.holdInvoices.lookup(held.paymentHash)).toMatchObject({ state: 'held' })
        for (const asked of promised.asked.values()) await checkPayment(world, asked)
        for (const hold of promised.holds.values()) await checkHold(world, hold)
        for (const [node, kind] of [
          [payee, 'payment-received'],
          [payee, 'hold-settled'],
          [payer, 'payment-succeeded'],
        ] as const)
          expect(await reportedTwice(node, kind)).toEqual([])
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
    KILLS * MOST_PER_KILL_MS + 120_000,
  )
})

async function reportedTwice(node: FullNode, kind: NodeEvent['kind']): Promise<string[]> {
  const hashes = (await allEvents(node)).flatMap((event) =>
    event.kind === kind && 'paymentHash' in event && event.paymentHash ? [event.paymentHash] : [],
  )
  return hashes.filter((hash, i) => hashes.indexOf(hash) !== i)
}

async function checkPayment({ payer, payee }: LdkWorld, { paymentId, paymentHash, accepted }: Asked) {
  const known = await payer.payer.lookup(paymentId)
  if (accepted) expect(known).not.toBeNull()
  const outcome = known && (await outcomeOf(payer, paymentId))
  const received = await payee.invoices.lookup(paymentHash)
  expect([outcome?.state, received?.state]).toEqual(
    outcome?.state === 'succeeded' ? ['succeeded', 'paid'] : [outcome ? 'failed' : undefined, 'open'],
  )
}

/** A hold that survived is settled now; one whose settling was promised is settled. */
async function checkHold({ payer, payee }: LdkWorld, { paymentId, paymentHash, preimage, settled }: Hold) {
  const known = await payer.payer.lookup(paymentId)
  const before = await payee.holdInvoices.lookup(paymentHash)
  if (settled) expect(before?.state).toMatch(/^settl(ing|ed)$/)
  const done = await eventually('the hold is decided', async () => {
    const hold = await payee.holdInvoices.lookup(paymentHash)
    if (hold?.state === 'held') await payee.holdInvoices.settle(paymentHash, preimage)
    const outcome = await payer.payer.lookup(paymentId)
    return outcome?.state === 'pending' || hold?.state === 'held' || hold?.state === 'settling'
      ? null
      : [outcome?.state, hold?.state]
  })
  expect(done).toEqual(
    done[0] === 'succeeded' ? ['succeeded', 'settled'] : [known ? 'failed' : undefined, 'open'],
  )
}

/** Runs the child until `lifeMs` after it began to pay; sometimes it is killed while its nodes open already. */
async function liveAndDie(world: LdkWorld, lifeMs: number, { asked, holds }: Promised): Promise<void> {
  const nodes = Object.fromEntries(
    NODE_NAMES.map((name) => {
      const options = world.optionsOf(name)
      return [name, { ...options, seed: Buffer.from(options.seed).toString('hex') }]
    }),
  )
  const child = spawn(process.execPath, [CHILD, JSON.stringify({ url: world.url, nodes })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const lines: string[] = []
  let rest = ''
  let armed = false
  const arm = () => {
    if (!armed) setTimeout(() => child.kill('SIGKILL'), lifeMs)
    armed = true
  }
  if (lifeMs % 4 < 1) arm()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
    if (parts.includes('paying')) arm()
  })
  const exitCode = await ended
  if (exitCode !== null) throw new Error(`The child ended by itself, with exit code ${exitCode}.`)
  for (const line of lines) {
    const [kind, paymentId, paymentHash, preimage] = line.split(' ')
    if (kind === 'error') throw new Error(`The child reported: ${line}`)
    if (!paymentId || !paymentHash) continue
    if (preimage) holds.set(paymentId, { paymentId, paymentHash, preimage, settled: kind === 'settled' })
    else asked.set(paymentId, { paymentId, paymentHash, accepted: kind === 'accepted' })
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
