import { formatBtc, parseBtc } from './amounts.ts'

/** bitcoind answered with an error: `code` is from its `rpc/protocol.h`. */
export class BitcoinRpcError extends Error {
  readonly method: string
  readonly code: number
  constructor(method: string, code: number, message: string) {
    super(`${method}: ${message} (${code})`)
    this.name = 'BitcoinRpcError'
    this.method = method
    this.code = code
  }
}

/** No usable answer: whether a call that changes something was performed is unknown. */
export class BitcoinRpcUnavailable extends Error {
  readonly method: string
  constructor(method: string, why: string, options?: ErrorOptions) {
    super(`${method}: ${why}`, options)
    this.name = 'BitcoinRpcUnavailable'
    this.method = method
  }
}

/** All amounts are satoshi, all hashes lower-case hex in display order. */
export type BitcoinRpc = {
  /** Any method. A number with a decimal point comes back as its text, because a float would not be exact. */
  call(method: string, params?: readonly unknown[]): Promise<unknown>
  getBlockCount(): Promise<number>
  getBestBlockHash(): Promise<string>
  /** Mines to the loaded wallet, always to the same address of it. */
  generate(blocks: number): Promise<string[]>
  generateToAddress(blocks: number, address: string): Promise<string[]>
  listWallets(): Promise<string[]>
  createWallet(name: string): Promise<void>
  loadWallet(name: string): Promise<void>
  getNewAddress(): Promise<string>
  getBalance(): Promise<bigint>
  sendToAddress(address: string, amountSat: bigint): Promise<string>
  sendRawTransaction(hex: string): Promise<string>
}

/** `url` holds the credentials: `http://user:password@host:port`, with `/wallet/<name>` to name a wallet. */
export function makeBitcoinRpc(url: string, { timeoutMs = 30_000 }: { timeoutMs?: number } = {}): BitcoinRpc {
  const { endpoint, authorization } = splitCredentials(url)
  let lastId = 0
  let miningAddress: Promise<string> | null = null

  async function call(method: string, params: readonly unknown[] = []): Promise<unknown> {
    const id = ++lastId
    const text = await post(method, JSON.stringify({ jsonrpc: '1.0', id, method, params }))
    const answer = parseAnswer(method, text)
    if (answer.error !== null) throw new BitcoinRpcError(method, answer.error.code, answer.error.message)
    if (answer.id !== id) throw new BitcoinRpcUnavailable(method, 'the answer belongs to another call')
    return answer.result
  }

  async function post(method: string, body: string): Promise<string> {
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.status === 401) throw new BitcoinRpcUnavailable(method, 'the user or password is wrong')
      return await response.text()
    } catch (cause) {
      if (cause instanceof BitcoinRpcUnavailable) throw cause
      throw new BitcoinRpcUnavailable(method, 'bitcoind does not answer', { cause })
    }
  }

  async function generateToAddress(blocks: number, address: string): Promise<string[]> {
    return expectTexts(await call('generatetoaddress', [blocks, address]))
  }

  async function getNewAddress(): Promise<string> {
    return expectText(await call('getnewaddress', ['', 'bech32']))
  }

  async function generate(blocks: number): Promise<string[]> {
    miningAddress ??= getNewAddress()
    try {
      return await generateToAddress(blocks, await miningAddress)
    } catch (fault) {
      miningAddress = null
      throw fault
    }
  }

  return {
    call,
    generate,
    generateToAddress,
    getNewAddress,
    getBlockCount: async () => expectNumber(await call('getblockcount')),
    getBestBlockHash: async () => expectText(await call('getbestblockhash')),
    listWallets: async () => expectTexts(await call('listwallets')),
    createWallet: async (name) => void (await call('createwallet', [name])),
    loadWallet: async (name) => void (await call('loadwallet', [name])),
    getBalance: async () => satoshi(await call('getbalance')),
    sendToAddress: async (address, amountSat) =>
      expectText(await call('sendtoaddress', [address, formatBtc(amountSat)])),
    sendRawTransaction: async (hex) => expectText(await call('sendrawtransaction', [hex])),
  }
}

function splitCredentials(url: string): { endpoint: string; authorization: string } {
  const parsed = new URL(url)
  const credentials = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`
  parsed.username = ''
  parsed.password = ''
  return {
    endpoint: parsed.href,
    authorization: `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`,
  }
}

type Answer = { id: unknown; result: unknown; error: { code: number; message: string } | null }

function parseAnswer(method: string, text: string): Answer {
  let parsed: unknown
  try {
    parsed = JSON.parse(text, keepDecimals)
  } catch (cause) {
    throw new BitcoinRpcUnavailable(method, 'the answer is not JSON', { cause })
  }
  if (typeof parsed !== 'object' || parsed === null || !('result' in parsed || 'error' in parsed)) {
    throw new BitcoinRpcUnavailable(method, 'the answer is not of JSON-RPC')
  }
  return { id: null, result: null, error: null, ...(parsed as Partial<Answer>) }
}

/** V8 hands a reviver the source text of each number; TypeScript's library does not declare it yet. */
function keepDecimals(this: unknown, _key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source
  return typeof value === 'number' && source !== undefined && /[.eE]/.test(source) ? source : value
}

/** Reads an amount that bitcoind wrote in BTC. */
export function satoshi(value: unknown): bigint {
  const amount = typeof value === 'string' || typeof value === 'number' ? parseBtc(String(value)) : null
  if (amount === null)
    throw new TypeError(`bitcoind answered ${JSON.stringify(value)} where an amount belongs`)
  return amount
}

function expectNumber(value: unknown): number {
  if (typeof value === 'number') return value
  throw new TypeError(`bitcoind answered ${JSON.stringify(value)} where a number belongs`)
}

function expectText(value: unknown): string {
  if (typeof value === 'string') return value
  throw new TypeError(`bitcoind answered ${JSON.stringify(value)} where a text belongs`)
}

function expectTexts(value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw new TypeError(`bitcoind answered ${JSON.stringify(value)} where a list of texts belongs`)
}
