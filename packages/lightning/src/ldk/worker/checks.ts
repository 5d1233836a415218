import { type Hex, NodeError } from '../../ports.ts'

/** 21 million bitcoin: nothing is worth more, and it is far below what LDK's 64 bits hold. */
const SUPPLY_MSAT = 2_100_000_000_000_000_000n
const LONGEST_EXPIRY_SECONDS = 10 * 365 * 24 * 3600

/** The bindings wrap numbers that do not fit and panic on short bytes, so what comes in is checked here. */
export function checkHash(value: Hex, what: string): void {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value))
    throw new NodeError('invalid', `${what} is 32 bytes of lower-case hex.`)
}

export function checkNodeId(value: Hex): void {
  if (typeof value !== 'string' || !/^0[23][0-9a-f]{64}$/.test(value))
    throw new NodeError('invalid', 'A node id is a compressed public key of 33 bytes, in lower-case hex.')
}

export function checkAmount(amountMsat: bigint, what: string): void {
  if (typeof amountMsat !== 'bigint' || amountMsat < 1n || amountMsat > SUPPLY_MSAT)
    throw new NodeError('invalid', `${what} is from 1 msat to the whole supply.`)
}

export function checkFee(maxFeeMsat: bigint): void {
  if (typeof maxFeeMsat !== 'bigint' || maxFeeMsat < 0n || maxFeeMsat > SUPPLY_MSAT)
    throw new NodeError('invalid', 'A fee limit is from 0 msat to the whole supply.')
}

export function checkWhole(value: number, what: string, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new NodeError('invalid', `${what} is a whole number from ${least} to ${most}.`)
}

export function checkExpiry(expirySeconds: number): void {
  checkWhole(expirySeconds, 'An expiry in seconds', 1, LONGEST_EXPIRY_SECONDS)
}
