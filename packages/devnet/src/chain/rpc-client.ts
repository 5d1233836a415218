import { type CallBitcoin, makeBitcoinCall } from '@holdfast/lightning/bitcoin-call'
import { formatBtc, parseBtc } from './amounts.ts'

/** All amounts are satoshi, all hashes lower-case hex in display order. */
export type BitcoinRpc = {
  /** Any method. */
  readonly call: CallBitcoin
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
export function makeBitcoinRpc(url: string, options: { timeoutMs?: number } = {}): BitcoinRpc {
  const call = makeBitcoinCall(url, options)
  let miningAddress: Promise<string> | null = null

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
