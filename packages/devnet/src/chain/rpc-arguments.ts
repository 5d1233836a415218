import { parseBtc } from './amounts.ts'
import { RPC_CODE, RpcFailure } from './rpc-failure.ts'

/** The parameters of one call by name; each getter checks one and words its complaint as bitcoind does. */
export class RpcArguments {
  private readonly names: readonly string[]
  private readonly values: Readonly<Record<string, unknown>>
  /** The wallet that the call's address named. */
  readonly wallet: string | null

  constructor(names: readonly string[], values: Readonly<Record<string, unknown>>, wallet: string | null) {
    this.names = names
    this.values = values
    this.wallet = wallet
  }

  /** A parameter that is null counts as left out. */
  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null
  }

  texts(name: string): string[] {
    const value = this.values[name]
    if (!Array.isArray(value)) throw this.wrongType(name, 'array')
    if (value.every((item) => typeof item === 'string')) return value
    throw new RpcFailure(RPC_CODE.typeError, `JSON value in ${name} is not of expected type string`)
  }

  text(name: string): string {
    const value = this.values[name]
    if (typeof value !== 'string') throw this.wrongType(name, 'string')
    return value
  }

  boolean(name: string, whenAbsent: boolean): boolean {
    if (!this.has(name)) return whenAbsent
    const value = this.values[name]
    if (typeof value !== 'boolean') throw this.wrongType(name, 'bool')
    return value
  }

  integer(name: string, whenAbsent?: number): number {
    if (!this.has(name) && whenAbsent !== undefined) return whenAbsent
    const value = this.values[name]
    if (typeof value !== 'number') throw this.wrongType(name, 'number')
    if (!Number.isSafeInteger(value)) throw new RpcFailure(RPC_CODE.misc, 'JSON integer out of range')
    return value
  }

  /** The index of an output. */
  unsigned(name: string): number {
    const value = this.integer(name)
    if (value < 0 || value > 0xffff_ffff) throw new RpcFailure(RPC_CODE.misc, 'JSON integer out of range')
    return value
  }

  /** sat/vB with up to three decimals, in satoshi per 1000 vbytes. */
  feeRate(name: string): bigint {
    const perVbyte = Number(this.values[name])
    const perKvb = Math.round(perVbyte * 1000)
    if (!(perVbyte >= 1 && perVbyte <= 10_000) || Math.abs(perKvb - perVbyte * 1000) > 1e-6) {
      throw new RpcFailure(RPC_CODE.typeError, 'Invalid amount')
    }
    return BigInt(perKvb)
  }

  /** bitcoind reads `verbosity` as a number or, from older callers, as a boolean. */
  verbosity(name: string, whenAbsent: number): number {
    const value = this.values[name]
    return typeof value === 'boolean' ? Number(value) : this.integer(name, whenAbsent)
  }

  /** 32 bytes in hex. */
  hash(name: string): string {
    const value = this.text(name)
    if (value.length !== 64) {
      throw new RpcFailure(
        RPC_CODE.invalidParameter,
        `${name} must be of length 64 (not ${value.length}, for '${value.slice(0, 100)}')`,
      )
    }
    if (!/^[0-9a-fA-F]*$/.test(value)) {
      throw new RpcFailure(RPC_CODE.invalidParameter, `${name} must be hexadecimal string (not '${value}')`)
    }
    return value.toLowerCase()
  }

  /** Satoshi, from a number or a decimal string of BTC. */
  amount(name: string, whenAbsent?: bigint): bigint {
    if (!this.has(name) && whenAbsent !== undefined) return whenAbsent
    const value = this.values[name]
    if (typeof value !== 'number' && typeof value !== 'string') {
      throw new RpcFailure(RPC_CODE.typeError, 'Amount is not a number or string')
    }
    const satoshi = parseBtc(String(value))
    if (satoshi === null) throw new RpcFailure(RPC_CODE.typeError, 'Invalid amount')
    if (satoshi < 0n || satoshi > 2_100_000_000_000_000n) {
      throw new RpcFailure(RPC_CODE.typeError, 'Amount out of range')
    }
    return satoshi
  }

  private wrongType(name: string, expected: string): RpcFailure {
    const value = this.values[name]
    if (value === undefined) return new RpcFailure(RPC_CODE.misc, `The parameter ${name} is missing.`)
    const complaint = `JSON value of type ${jsonType(value)} is not of expected type ${expected}`
    const where = `Position ${this.names.indexOf(name) + 1} (${name})`
    return new RpcFailure(RPC_CODE.typeError, `Wrong type passed:\n{\n    "${where}": "${complaint}"\n}`)
  }
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
