import { EventEmitter } from 'node:events'
import type pg from 'pg'
import { beforeEach, expect, test } from 'vitest'
import { keepConnection } from './lasting-connection.ts'
import { makeLog } from './log.ts'

/** Test double of a connection: it only ends. */
class TestClient extends EventEmitter {
  isEnded = false
  async end() {
    if (this.isEnded) return
    this.isEnded = true
    this.emit('end')
  }
}

let made: TestClient[]
/** What `connect` waits for. */
let gate: Promise<void>
let prepared: number
let isRefused: boolean

beforeEach(() => {
  ;[made, gate, prepared, isRefused] = [[], Promise.resolve(), 0, false]
})

const keep = () =>
  keepConnection({
    database: {
      async connect() {
        await gate
        const client = new TestClient()
        made.push(client)
        return client as unknown as pg.Client
      },
    },
    name: 'test',
    async prepare() {
      prepared++
      if (isRefused) throw new Error('refused')
    },
    cannot: 'the test cannot go on',
    log: makeLog({ level: 'silent' }),
  })

test('a connection that ends is made and prepared again', async () => {
  const connection = await keep()
  await made[0]!.end()
  await expect.poll(() => made.length > 1 && connection.client === (made[1] as unknown)).toBe(true)
  expect(prepared).toBe(2)
  await connection.stop()
  expect(made.map(({ isEnded }) => isEnded)).toEqual([true, true])
})

test('stopped while the next one comes up, it leaves none behind', async () => {
  const connection = await keep()
  const coming = Promise.withResolvers<void>()
  gate = coming.promise
  await made[0]!.end()
  const stopped = connection.stop()
  coming.resolve()
  await stopped
  expect(made.map(({ isEnded }) => isEnded)).toEqual([true, true])
})

test('one that cannot be prepared is ended, and at the start it is thrown', async () => {
  isRefused = true
  await expect(keep()).rejects.toThrow('refused')
  expect(made.map(({ isEnded }) => isEnded)).toEqual([true])
})

test('later ones that cannot be prepared are ended, until one can', async () => {
  const connection = await keep()
  isRefused = true
  await made[0]!.end()
  await expect.poll(() => made.length).toBe(2)
  isRefused = false
  await expect.poll(() => made.length > 2 && connection.client === (made[2] as unknown)).toBe(true)
  expect(made.map(({ isEnded }) => isEnded)).toEqual([true, true, false])
  await connection.stop()
})
