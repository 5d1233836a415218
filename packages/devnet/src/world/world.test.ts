import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startWorld } from './world.ts'

const ignore = () => undefined
const silent = { info: ignore, warn: ignore, error: ignore }

/** A bitcoind that is on that chain, and notes what it is asked. */
async function bitcoindOn(chain: string) {
  const asked: string[] = []
  const server = createServer(async (request, response) => {
    const { id, method } = (await new Response(request as unknown as BodyInit).json()) as {
      id: number
      method: string
    }
    asked.push(method)
    response.end(JSON.stringify({ id, result: { chain }, error: null }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return { url: `http://user:password@127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

test.each(['main', 'test', 'signet'])(
  'a bitcoind on %s is refused before anything is done with it',
  async (chain) => {
    const folder = mkdtempSync(join(tmpdir(), 'holdfast-world-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const { url, asked } = await bitcoindOn(chain)
    const start = startWorld({ folder, bitcoindUrl: url, blockIntervalMs: 0, users: ['alice'], log: silent })
    await expect(start).rejects.toMatchObject({
      message: 'The devnet could not be started.',
      cause: { message: `bitcoind is on the chain ${chain}; the devnet needs regtest.` },
    })
    expect(asked).toEqual(['getblockchaininfo'])
    expect(existsSync(join(folder, 'devices'))).toBe(false)
  },
)
