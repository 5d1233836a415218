import { reachHeld } from '@holdfast/lightning/contract/hold-invoices.contract'
import { expect, test } from 'vitest'
import { startChain } from '../chain/chain-server.ts'
import { makeLdkWorld } from './ldk-world.ts'
import { liveAndDie } from './testing/paying-life.ts'
import { checkPromises, type Promised } from './testing/promised.ts'

const KILLS = Number(process.env.HOLDFAST_TEST_KILLS ?? 40)
const SEED = Number(process.env.HOLDFAST_TEST_SEED ?? 1)
const LONGEST_LIFE_MS = 1_500
/** For what hangs. */
const MOST_PER_KILL_MS = 60_000
/** 1 MB: SQLite's log of a node grows to four before it is written from its beginning again. */
const FULL_DISK_BLOCKS = 2_048

async function livesOf(
  live: (die: (death: Parameters<typeof liveAndDie>[1]) => Promise<Promised>) => Promise<void>,
) {
  const world = await makeLdkWorld({ startChain: (folder) => startChain({ folder }) })
  try {
    const held = await reachHeld(world)
    await world.stopHost()
    const promised: Promised = { asked: new Map(), holds: new Map() }
    await live(async (death) => {
      await liveAndDie(world, death, promised)
      return promised
    })
    await checkPromises(world, promised, held)
  } finally {
    await world.stop()
  }
}

test(
  `${KILLS} kills during payments lose no channel, no accepted payment, no held HTLC and no msat (seed ${SEED})`,
  () =>
    livesOf(async (die) => {
      const random = seeded(SEED)
      for (let kill = 1; kill <= KILLS; kill++) {
        const { asked, holds } = await die({ lifeMs: random() * LONGEST_LIFE_MS })
        if (kill % 20 === 0) console.log(`  ${kill} kills, ${asked.size} payments and ${holds.size} holds`)
        if (kill < KILLS) continue
        expect(asked.size).toBeGreaterThan(KILLS)
        expect(holds.size).toBeGreaterThan(KILLS / 2)
      }
    }),
  KILLS * MOST_PER_KILL_MS + 120_000,
)

test(
  'a disk that fills up during payments loses none of these either',
  () =>
    livesOf(async (die) => {
      const { asked } = await die({ fileBlocks: FULL_DISK_BLOCKS })
      expect([...asked.values()].some(({ accepted }) => accepted)).toBe(true)
    }),
  MOST_PER_KILL_MS + 120_000,
)

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
