import { makeBitcoinCall } from '../../bitcoin-call.ts'
import { fromHex } from './bytes.ts'

export type Header = { hash: string; height: number; previous: string | null; raw: Uint8Array }

/** The JSON-RPC methods of bitcoind that the backend needs, and no more. */
export interface BitcoinRpc {
  bestBlockHash(): Promise<string>
  header(hash: string): Promise<Header>
  block(hash: string): Promise<Uint8Array>
  broadcast(rawTransaction: string): Promise<void>
  /** sat per 1,000 weight units, or null when the chain cannot tell. */
  feeRate(blocks: number): Promise<number | null>
}

const MOST_HEADERS = 10_000
const MOST_BLOCKS = 16

export function makeBitcoinRpc(url: string): BitcoinRpc {
  const call = makeBitcoinCall(url)

  // All nodes of a host ask for the same blocks at about the same time.
  const header = remember(MOST_HEADERS, async (hash): Promise<Header> => {
    const [verbose, raw] = await Promise.all([
      call('getblockheader', [hash]),
      call('getblockheader', [hash, false]),
    ])
    const { height, previousblockhash } = verbose as { height: number; previousblockhash?: string }
    return { hash, height, previous: previousblockhash ?? null, raw: fromHex(raw as string) }
  })
  const block = remember(MOST_BLOCKS, async (hash) => fromHex((await call('getblock', [hash, 0])) as string))

  return {
    bestBlockHash: async () => (await call('getbestblockhash', [])) as string,
    header,
    block,
    async broadcast(rawTransaction) {
      await call('sendrawtransaction', [rawTransaction])
    },
    async feeRate(confirmWithin) {
      const { feerate } = (await call('estimatesmartfee', [confirmWithin])) as { feerate?: string | number }
      // BTC per 1,000 virtual bytes; four weight units make one virtual byte.
      return feerate === undefined ? null : Math.ceil((Number(feerate) * 1e8) / 4)
    },
  }
}

/** Keeps the newest answers, and asks again what failed. */
function remember<Answer>(
  most: number,
  ask: (key: string) => Promise<Answer>,
): (key: string) => Promise<Answer> {
  const known = new Map<string, Promise<Answer>>()
  return (key) => {
    const before = known.get(key)
    if (before) return before
    const asked = ask(key)
    asked.catch(() => known.delete(key))
    if (known.size >= most) known.delete(known.keys().next().value as string)
    known.set(key, asked)
    return asked
  }
}
