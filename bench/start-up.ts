import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createHoldfastClient } from '@holdfast/client'
import { openDevices } from '@holdfast/server/demo/devices'
import { findOrStartServer, type RunningServer } from '@holdfast/server/demo/running-server'
import { playNameStory } from '@holdfast/server/demo/story'
import type { Figure } from './figure.ts'
import { descendantsOf, type Memory, memoryOf, sumOf } from './process-memory.ts'
import { makeTemporaryFolder } from './temporary-folder.ts'

const READY_WITHIN_S = 15
const MOST_MEMORY_MB = 500
const silent = () => undefined
const of = 'start-up'

/**
 * A process of its own, as `npm start` runs it: from its start until `/ready` says so, on a fresh data folder and
 * again on the same one; its memory after the demo's story was played on it.
 */
export async function benchStartUp(): Promise<Figure[]> {
  const dataDir = await makeTemporaryFolder()
  try {
    const cold = await startOnce(dataDir, async () => undefined)
    const warm = await startOnce(dataDir, (server) => useAndMeasure(dataDir, server))
    return [
      { of, what: 'ready, fresh data folder', value: cold.seconds, unit: 's', atMost: READY_WITHIN_S },
      { of, what: 'ready, known data folder', value: warm.seconds, unit: 's', atMost: READY_WITHIN_S },
      ...(warm.value ? memoryFigures(warm.value) : []),
    ]
  } finally {
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function startOnce<T>(dataDir: string, use: (server: RunningServer) => Promise<T>) {
  const began = performance.now()
  const server = await findOrStartServer(dataDir, silent, { env: process.env })
  const seconds = (performance.now() - began) / 1000
  try {
    return { seconds, value: await use(server) }
  } finally {
    await server.stop()
  }
}

type WorldMemory = { server: Memory; postgres: Memory }

/** Null where /proc does not tell. */
async function useAndMeasure(dataDir: string, server: RunningServer): Promise<WorldMemory | null> {
  if (process.platform !== 'linux') return null
  const device = await openDevices(server.devnetFolder)
  const person = (name: string) => ({
    device: device(name),
    client: createHoldfastClient({ baseUrl: server.url, signer: device(name).signer }),
  })
  await playNameStory(
    {
      merchant: person('alice'),
      buyer: person('bob'),
      user: 'memory',
      domain: 'shop.test',
      amountMsat: 1_000_000n,
    },
    silent,
  )
  const { pid } = JSON.parse(await readFile(join(dataDir, 'server.json'), 'utf8')) as { pid: number }
  return { server: memoryOf(pid), postgres: sumOf(descendantsOf(pid).map(memoryOf)) }
}

function memoryFigures({ server, postgres }: WorldMemory): Figure[] {
  const line = (what: string, bytes: number, atMost?: number): Figure => ({
    of,
    what,
    value: bytes / 1e6,
    unit: 'MB',
    ...(atMost !== undefined && { atMost }),
  })
  return [
    line('memory of the process (RSS)', server.resident),
    line('memory of PostgreSQL (PSS)', postgres.proportional),
    line('memory of the whole world', server.resident + postgres.proportional, MOST_MEMORY_MB),
    line('memory of PostgreSQL (sum of RSS)', postgres.resident),
  ]
}
