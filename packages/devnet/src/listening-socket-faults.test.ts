import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startChain } from './chain/chain-server.ts'
import { makeBitcoinRpc } from './chain/rpc-client.ts'
import { startSignedDns } from './dns/signed-dns.ts'
import { serveDevices } from './world/devices-server.ts'

/** A running server, and whether it still does its work. */
type Running = { answers(): Promise<boolean>; stop(): Promise<unknown> }
type OnFault = (fault: unknown) => void

let folder: string
let sockets: EventEmitter[]
const keepServer = (message: unknown) => sockets.push((message as { server: EventEmitter }).server)
const keepSocket = (message: unknown) => sockets.push((message as { socket: EventEmitter }).socket)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-listening-'))
  sockets = []
  subscribe('tracing:net.server.listen:asyncStart', keepServer)
  subscribe('udp.socket', keepSocket)
})
afterEach(() => {
  unsubscribe('tracing:net.server.listen:asyncStart', keepServer)
  unsubscribe('udp.socket', keepSocket)
  rmSync(folder, { recursive: true })
})

const startDns = async (onFault: OnFault): Promise<Running> => {
  const dns = await startSignedDns({ folder, zones: ['shop.test'], onFault })
  const answers = async () => {
    const [server] = await dns.zone('shop.test').authoritative('a.shop.test')
    return server !== undefined && 'signed' in server && server.signed
  }
  return { answers, stop: dns.stop }
}

const startBlocks = async (onFault: OnFault): Promise<Running> => {
  const chain = await startChain({ folder, onFault })
  const answers = async () => (await makeBitcoinRpc(chain.url).getBlockCount()) === 0
  return { answers, stop: chain.stop }
}

const startDevices = async (onFault: OnFault): Promise<Running> => {
  const { url, stop } = await serveDevices(new Map(), onFault)
  return { answers: async () => (await fetch(url)).status === 401, stop }
}

test.each([
  ['DNS', startDns, 2],
  ['the chain', startBlocks, 1],
  ['the devices', startDevices, 1],
] as const)(
  '%s: an error of a listening socket is reported, and the server goes on',
  async (_, start, count) => {
    const faults: unknown[] = []
    const running = await start((fault) => faults.push(fault))
    const listening = sockets.splice(0)
    expect(listening.length).toBeGreaterThanOrEqual(count)
    const errors = listening.flatMap((socket) =>
      ['first', 'second'].map((which) => {
        const error = new Error(`the ${which} accept failed`)
        socket.emit('error', error)
        return error
      }),
    )
    expect(faults).toEqual(errors)
    expect(await running.answers()).toBe(true)
    await running.stop()
  },
)
