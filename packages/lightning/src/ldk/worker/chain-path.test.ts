import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BitcoinRpc, Header } from './bitcoin-rpc.ts'
import { chainPath } from './chain-path.ts'

/** A tree of blocks: `parents[i]` names the parent of block i+1; block 0 is the genesis. */
function treeOf(parents: number[]): { rpc: BitcoinRpc; headers: Header[] } {
  const headers: Header[] = [{ hash: 'b0', height: 0, previous: null, raw: new Uint8Array(80) }]
  for (const [i, parent] of parents.entries()) {
    const below = headers[parent % headers.length] as Header
    headers.push({
      hash: `b${i + 1}`,
      height: below.height + 1,
      previous: below.hash,
      raw: new Uint8Array(80),
    })
  }
  const byHash = new Map(headers.map((header) => [header.hash, header]))
  const unused = () => Promise.reject(new Error('A path needs headers only.'))
  const rpc: BitcoinRpc = {
    header: async (hash) => byHash.get(hash) ?? unused(),
    ...{ bestBlockHash: unused, block: unused, broadcast: unused, feeRate: unused },
  }
  return { rpc, headers }
}

test('a path goes down from one block to the last common ancestor and up to the other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(), { maxLength: 30 }), fc.nat(), fc.nat(), async (parents, a, b) => {
      const { rpc, headers } = treeOf(parents)
      const from = headers[a % headers.length] as Header
      const to = headers[b % headers.length] as Header
      const { disconnect, connect } = await chainPath(rpc, from.hash, to.hash)
      let at = from.hash
      for (const header of disconnect) {
        expect(header.hash).toBe(at)
        at = header.previous ?? ''
      }
      for (const header of connect) {
        expect(header.previous).toBe(at)
        at = header.hash
      }
      expect(at).toBe(to.hash)
      // Nothing is undone and done again.
      expect(disconnect.some((header) => connect.includes(header))).toBe(false)
    }),
  )
})

test('two chains without a common genesis have no path', async () => {
  const one = treeOf([0])
  const other: Header = { hash: 'other', height: 0, previous: null, raw: new Uint8Array(80) }
  const rpc = {
    ...one.rpc,
    header: async (hash: string) => (hash === 'other' ? other : one.rpc.header(hash)),
  }
  await expect(chainPath(rpc, 'b1', 'other')).rejects.toThrow('another chain')
})
