import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { startChain } from './chain-server.ts'
import { FAUCET_WALLET, prepareFaucet } from './faucet.ts'
import { type BitcoinRpc, makeBitcoinRpc } from './rpc-client.ts'

const KILLS = 20

/** The chain in a process of its own, which can be killed. */
async function startApart(folder: string): Promise<{ child: ChildProcess; rpc: BitcoinRpc }> {
  const script = `
    const { startChain } = await import(${JSON.stringify(new URL('./chain-server.ts', import.meta.url).href)})
    console.log((await startChain({ folder: ${JSON.stringify(folder)} })).url)
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [url] = await once(createInterface(child.stdout!), 'line')
  return { child, rpc: makeBitcoinRpc(String(url)) }
}

/** Mines and pays until the server dies; keeps what was acknowledged, and says when the first block was. */
async function workUntilKilled(
  rpc: BitcoinRpc,
  acknowledged: { blocks: string[]; txids: string[] },
  begun: () => void,
): Promise<void> {
  try {
    for (;;) {
      const address = await rpc.getNewAddress()
      acknowledged.txids.push(await rpc.sendToAddress(address, 100_000n))
      acknowledged.blocks.push(...(await rpc.generate(1)))
      begun()
    }
  } catch (error) {
    expect((error as Error).name).toBe('BitcoinRpcUnavailable')
  }
}

test('killed at any moment, the chain keeps every block and transaction that it acknowledged', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-chain-kill-'))
  const acknowledged = { blocks: [] as string[], txids: [] as string[] }
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, rpc } = await startApart(folder)
      await prepareFaucet(rpc)
      const begun = Promise.withResolvers<void>()
      const work = workUntilKilled(rpc, acknowledged, begun.resolve)
      await Promise.race([begun.promise, work])
      await sleep((kill * 37) % 100)
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await Promise.all([work, exited])
    }
    const chain = await startChain({ folder })
    const rpc = makeBitcoinRpc(chain.url)
    expect(await rpc.listWallets()).toEqual([FAUCET_WALLET])
    for (const hash of acknowledged.blocks) {
      expect(await rpc.call('getblockheader', [hash])).toMatchObject({ hash })
    }
    for (const txid of acknowledged.txids) expect(await rpc.call('getrawtransaction', [txid])).toMatch(/^02/)
    expect(acknowledged.blocks.length).toBeGreaterThanOrEqual(KILLS)
    await chain.stop()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
