import { describe, expect, test } from 'vitest'
import { startLdkHost } from './host.ts'
import type { StartLink } from './host-link.ts'
import type { FromHost, ToHost } from './protocol.ts'

type Opening = 'well' | 'slowly' | 'refused' | 'deadly'

/** Longer than the first pause before a node is opened again. */
const SLOW_MS = 600
const PATIENCE = { timeout: 30_000 }

/** A host without LDK: how the node of an alias opens is up to the test. `deadly` ends the thread, as a panic would. */
async function hostWithoutLdk() {
  const opened: string[] = []
  const errors: string[] = []
  const opening = new Map<string, Opening>()
  const startLink: StartLink = (_settings, heard, ended) => {
    const say = (message: FromHost, afterMs = 0) => setTimeout(() => heard(message), afterMs)
    say({ kind: 'ready' })
    const open = ({ id, options: { alias } }: Extract<ToHost, { kind: 'open' }>) => {
      const value = { node: alias, nodeId: alias, listening: null }
      const how = opening.get(alias) ?? 'well'
      if (how === 'deadly') setImmediate(() => ended('a panic'))
      else if (how === 'refused') say({ kind: 'refused', id, code: 'invalid', message: 'unreadable' })
      else {
        opened.push(alias)
        say({ kind: 'answer', id, value }, how === 'slowly' ? SLOW_MS : 0)
      }
    }
    return {
      send(message) {
        if (message.kind === 'crash') setImmediate(() => ended('asked to'))
        else if (message.kind === 'open') open(message)
        else say({ kind: 'answer', id: message.id, value: message.kind })
      },
      terminate: async () => undefined,
    }
  }
  const log = {
    info: () => undefined,
    warn: () => undefined,
    error: (message: string) => errors.push(message),
  }
  const host = await startLdkHost({ network: 'regtest', bitcoind: { url: 'http://unused' }, log }, startLink)
  const open = (alias: string) => host.openNode({ folder: alias, seed: new Uint8Array(32), alias })
  return { host, open, opening, opened, errors }
}

describe('a host that was started again', () => {
  test('opens a node later that cannot be opened just now, also when others take longer than that', async () => {
    const { host, open, opening, opened } = await hostWithoutLdk()
    const [broken, slow] = [await open('broken'), await open('slow')]
    opening.set('broken', 'refused').set('slow', 'slowly')
    host.crash()
    await expect.poll(() => host.faults(), PATIENCE).toEqual([{ nodeId: 'broken', reason: 'unreadable' }])
    await expect(broken.funds.balance()).rejects.toMatchObject({ code: 'offline' })
    opening.set('broken', 'well')
    await expect.poll(() => host.faults(), PATIENCE).toEqual([])
    expect(opened).toEqual(['broken', 'slow', 'slow', 'broken'])
    expect(await broken.funds.balance()).toBe('call')
    expect(await slow.funds.balance()).toBe('call')
    await host.stop()
  })

  test('leaves a node closed after dying of it three times, and opens the others', async () => {
    const { host, open, opening, opened, errors } = await hostWithoutLdk()
    const [well, deadly] = [await open('well'), await open('deadly'), await open('last')]
    opening.set('deadly', 'deadly')
    host.crash()
    await expect.poll(() => host.faults(), PATIENCE).toMatchObject([{ nodeId: 'deadly' }])
    await expect.poll(() => opened.at(-1), PATIENCE).toBe('last')
    expect(host.restarts).toBe(1)
    expect(await well.funds.balance()).toBe('call')
    await expect(deadly.funds.balance()).rejects.toMatchObject({ code: 'offline' })
    await deadly.stop()
    expect(host.faults()).toEqual([])
    expect(errors.filter((message) => message.startsWith('A Lightning node is down'))).toHaveLength(1)
    await host.stop()
  }, 60_000)
})
