import { parseBtc } from './amounts.ts'
import { RPC_CODE, RpcFailure } from './rpc-failure.ts'

/** The parameters of one call by name; each getter checks one and words its complaint as bitcoind does. */
export class RpcArguments {
  private readonly values: Readonly<Record<string, unknown>>

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values
  }

  /** A parameter that is null counts as left out. */
  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null
  }

  raw(name: string): unknown {
    return this.values[name]
  }

  text(name: string): string {
    const value = this.values[name]
    if (typeof value !== 'string') throw wrongType(name, value, 'string')
    return value
  }

  boolean(name: string, whenAbsent: boolean): boolean {
    if (!this.has(name)) return whenAbsent
    const value = this.values[name]
    if (typeof value !== 'boolean') throw wrongType(name, value, 'bool')
    return value
  }

  integer(name: string, whenAbsent?: number): number {
    if (!this.has(name) && whenAbsent !== undefined) return whenAbsent
    const value = this.values[name]
    if (typeof value !== 'number') throw wrongType(name, value, 'number')
    if (!Number.isSafeInteger(value)) throw new RpcFailure(RPC_CODE.misc, 'JSON integer out of range')
    return value
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
}

function wrongType(name: string, value: unknown, expected: string): RpcFailure {
  if (value === undefined) return new RpcFailure(RPC_CODE.misc, `the parameter ${name} is missing`)
  return new RpcFailure(
    RPC_CODE.typeError,
    `JSON value of type ${jsonType(value)} is not of expected type ${expected}`,
  )
}

function jsonType(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
