import { describe, expect, test } from 'vitest'
import { startLdkHost } from './host.ts'
import type { StartLink } from './host-link.ts'
import type { FromHost, ToHost } from './protocol.ts'

/** A host without LDK, whose thread ends when the node `deadly` is opened, as one that panics would. */
function deadlyHost() {
  const opened: string[] = []
  let armed = false
  const startLink: StartLink = (_settings, heard, ended) => {
    const say = (message: FromHost) => setImmediate(() => heard(message))
    say({ kind: 'ready' })
    return {
      send: (message: ToHost) => {
        if (message.kind === 'crash') setImmediate(() => ended('asked to'))
        else if (message.kind !== 'open') say({ kind: 'answer', id: message.id, value: message.kind })
        else if (armed && message.options.alias === 'deadly') setImmediate(() => ended('a panic'))
        else {
          const { alias } = message.options
          opened.push(alias)
          const value = { node: alias, nodeId: alias, listening: null }
          say({ kind: 'answer', id: message.id, value })
        }
      },
      terminate: async () => undefined,
    }
  }
  return {
    ...{ startLink, opened },
    arm() {
      armed = true
    },
  }
}

describe('a node of which the whole host dies when it is opened', () => {
  test('is left closed after the third time; the others are opened', async () => {
    const { startLink, opened, arm } = deadlyHost()
    const errors: string[] = []
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (message: string) => errors.push(message),
    }
    const host = await startLdkHost(
      { network: 'regtest', bitcoind: { url: 'http://unused' }, log },
      startLink,
    )
    const open = (alias: string) => host.openNode({ folder: alias, seed: new Uint8Array(32), alias })
    const [well, deadly] = [await open('well'), await open('deadly'), await open('last')]
    arm()
    host.crash()
    await expect.poll(() => host.faults(), { timeout: 30_000 }).toMatchObject([{ nodeId: 'deadly' }])
    await expect.poll(() => opened.at(-1), { timeout: 30_000 }).toBe('last')
    expect(host.restarts).toBe(1)
    expect(await well.funds.balance()).toBe('call')
    await expect(deadly.funds.balance()).rejects.toMatchObject({ code: 'offline' })
    await deadly.stop()
    expect(host.faults()).toEqual([])
    expect(errors.filter((message) => message.startsWith('A Lightning node is down'))).toHaveLength(1)
    await host.stop()
  }, 60_000)
})
