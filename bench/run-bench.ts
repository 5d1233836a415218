import { type BenchWorld, startBenchWorld } from './bench-world.ts'
import { benchEscrow } from './escrow/escrow.ts'
import type { Figure } from './figure.ts'
import { benchJournal } from './journal.ts'
import { benchNames } from './names.ts'
import { benchPayments } from './payments.ts'
import { benchReads } from './reads.ts'
import { benchStartUp } from './start-up.ts'

type Measure = (world: BenchWorld, seconds: number) => Promise<Figure[]>

/** Those that share one world, in the order in which they run; the gentle ones first. */
const IN_ONE_WORLD: Record<string, Measure> = {
  payments: benchPayments,
  reads: benchReads,
  names: benchNames,
  journal: benchJournal,
  escrow: benchEscrow,
}

export const MEASUREMENTS: readonly string[] = ['start-up', ...Object.keys(IN_ONE_WORLD)]

/** Runs what was asked for, one after the other; `seconds` is how long each of them measures, about. */
export async function runBench(options: {
  only: readonly string[]
  seconds: number
  progress: (line: string) => void
}): Promise<Figure[]> {
  const { only, seconds, progress } = options
  const figures: Figure[] = []
  if (only.includes('start-up')) {
    progress('start-up ...')
    figures.push(...(await benchStartUp()))
  }
  const inWorld = Object.entries(IN_ONE_WORLD).filter(([name]) => only.includes(name))
  if (inWorld.length === 0) return figures
  progress('starting the world ...')
  const world = await startBenchWorld()
  try {
    for (const [name, measure] of inWorld) {
      progress(`${name} ...`)
      figures.push(...(await measure(world, seconds)))
    }
  } finally {
    await world.stop()
  }
  return figures
}
