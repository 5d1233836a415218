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

export class RpcError extends Error {
  readonly code: number | null
  constructor(message: string, code: number | null, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RpcError'
    this.code = code
  }
}

const REQUEST_TIMEOUT_MS = 30_000

export function makeBitcoinRpc(url: string): BitcoinRpc {
  const target = new URL(url)
  const credentials = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`
  const authorization = target.username ? `Basic ${Buffer.from(credentials).toString('base64')}` : null
  target.username = ''
  target.password = ''
  let nextId = 1

  async function call(method: string, params: readonly unknown[]): Promise<unknown> {
    let response: Response
    try {
      response = await fetch(target, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) },
        body: JSON.stringify({ jsonrpc: '1.0', id: nextId++, method, params }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      })
    } catch (cause) {
      throw new RpcError(`bitcoind does not answer ${method}.`, null, { cause })
    }
    if (response.status === 401) throw new RpcError('bitcoind refuses our RPC credentials.', null)
    const body = (await response.json()) as {
      result: unknown
      error: { code: number; message: string } | null
    }
    if (body.error) throw new RpcError(`${method}: ${body.error.message}`, body.error.code)
    return body.result
  }

  const headers = new Map<string, Header>()
  const MOST_HEADERS = 10_000
  const blocks = new Map<string, Promise<Uint8Array>>()
  const MOST_BLOCKS = 16

  return {
    bestBlockHash: async () => (await call('getbestblockhash', [])) as string,
    async header(hash) {
      const known = headers.get(hash)
      if (known) return known
      const [verbose, raw] = await Promise.all([
        call('getblockheader', [hash]),
        call('getblockheader', [hash, false]),
      ])
      const { height, previousblockhash } = verbose as { height: number; previousblockhash?: string }
      const header = { hash, height, previous: previousblockhash ?? null, raw: fromHex(raw as string) }
      if (headers.size >= MOST_HEADERS) headers.clear()
      headers.set(hash, header)
      return header
    },
    block(hash) {
      const known = blocks.get(hash)
      if (known) return known
      const fetched = call('getblock', [hash, 0]).then((raw) => fromHex(raw as string))
      fetched.catch(() => blocks.delete(hash))
      // All nodes of a host ask for the same few blocks at about the same time.
      if (blocks.size >= MOST_BLOCKS) blocks.delete(blocks.keys().next().value as string)
      blocks.set(hash, fetched)
      return fetched
    },
    async broadcast(rawTransaction) {
      await call('sendrawtransaction', [rawTransaction])
    },
    async feeRate(confirmWithin) {
      const estimate = (await call('estimatesmartfee', [confirmWithin])) as { feerate?: number }
      // BTC per 1,000 virtual bytes; four weight units make one virtual byte.
      return estimate.feerate === undefined ? null : Math.ceil((estimate.feerate * 1e8) / 4)
    },
  }
}
