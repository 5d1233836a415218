import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger, NetworkGraph } from 'lightningdevkit'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { GraphFile, newGraph } from './graph-file.ts'
import { Guard } from './guard.ts'
import { makeLdkLogger } from './ldk-logger.ts'
import { loadWasm } from './wasm.ts'

const folder = mkdtempSync(join(tmpdir(), 'holdfast-graph-'))
const warned: string[] = []
const quiet = {
  info: () => undefined,
  warn: (message: string) => warned.push(message),
  error: () => undefined,
}
let logger: Logger
let graph: NetworkGraph

beforeAll(async () => {
  await loadWasm()
  logger = makeLdkLogger(quiet, new Guard())
  graph = newGraph('regtest', logger)
})
beforeEach(() => {
  warned.length = 0
})
afterAll(() => rmSync(folder, { recursive: true }))

test('that the graph cannot be saved is said once, stops nobody, and ends when it can', () => {
  const place = join(folder, 'missing')
  const file = new GraphFile(join(place, 'graph'), quiet)
  file.save(graph)
  file.save(graph)
  expect(warned).toHaveLength(1)
  mkdirSync(place)
  file.save(graph)
  expect(existsSync(join(place, 'graph'))).toBe(true)
  expect(file.load(logger)).not.toBeNull()
  rmSync(place, { recursive: true })
  file.save(graph)
  expect(warned).toHaveLength(2)
})

test('a graph that is not there is none; one that cannot be read is said to be so', () => {
  expect(new GraphFile(join(folder, 'nothing'), quiet).load(logger)).toBeNull()
  expect(warned).toEqual([])
  writeFileSync(join(folder, 'nonsense'), 'not a graph')
  expect(new GraphFile(join(folder, 'nonsense'), quiet).load(logger)).toBeNull()
  expect(new GraphFile(folder, quiet).load(logger)).toBeNull()
  expect(warned).toHaveLength(2)
})
