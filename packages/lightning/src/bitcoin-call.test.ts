import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { BitcoinRpcUnavailable, makeBitcoinCall } from './bitcoin-call.ts'

let server: Server
let asked: string[]
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

/** A bitcoind that closes the connection on the first calls instead of answering them. */
async function bitcoindClosing(times: number): Promise<string> {
  asked = []
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { id, method } = JSON.parse(Buffer.concat(chunks).toString()) as { id: number; method: string }
    asked.push(method)
    if (asked.length <= times) request.socket.destroy()
    else response.end(JSON.stringify({ id, result: 7, error: null }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test.each(['getblockcount', 'listwallets', 'estimatesmartfee', 'sendrawtransaction'])(
  'a connection that is closed on %s is replaced by another',
  async (method) => {
    expect(await makeBitcoinCall(await bitcoindClosing(2))(method)).toBe(7)
    expect(asked).toEqual([method, method, method])
  },
)

test('a server that closes every connection does not answer', async () => {
  const call = makeBitcoinCall(await bitcoindClosing(99))
  await expect(call('getblockcount')).rejects.toThrow('bitcoind does not answer (UND_ERR_SOCKET)')
  expect(asked).toHaveLength(3)
})

test.each(['sendtoaddress', 'generatetoaddress', 'createwallet'])(
  '%s is never made twice: it may have been performed',
  async (method) => {
    await expect(makeBitcoinCall(await bitcoindClosing(1))(method)).rejects.toThrow(BitcoinRpcUnavailable)
    expect(asked).toEqual([method])
  },
)
