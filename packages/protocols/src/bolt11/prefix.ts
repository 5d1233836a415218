import type { Network } from '../network.ts'
import { Bolt11Error } from './error.ts'

const NETWORK_OF: Readonly<Record<string, Network>> = {
  bc: 'bitcoin',
  tb: 'testnet',
  tbs: 'signet',
  bcrt: 'regtest',
}

/** Picobitcoin in one unit of each multiplier; 10 picobitcoin are 1 millisatoshi. */
const PICOBITCOIN_OF = { '': 10n ** 12n, m: 10n ** 9n, u: 10n ** 6n, n: 10n ** 3n, p: 1n } as const
type Multiplier = keyof typeof PICOBITCOIN_OF

const SUPPLY_PICOBITCOIN = 21_000_000n * PICOBITCOIN_OF['']

/** Reads `ln` + network + amount (BOLT 11, "Human-Readable Part"). */
export function readPrefix(prefix: string): { network: Network; amountMsat: bigint | null } {
  const [, currency, amount] = /^ln(bcrt|bc|tbs|tb)(.*)$/s.exec(prefix) ?? []
  if (currency === undefined) {
    throw new Bolt11Error(
      'unknown-network',
      `${prefix.slice(0, 12)} is not a prefix of a network that we know`,
    )
  }
  return { network: NETWORK_OF[currency]!, amountMsat: amount === '' ? null : readAmount(amount!) }
}

function readAmount(text: string): bigint {
  // "MUST encode amount as a positive decimal integer with no leading 0s"; 19 digits hold the supply in picobitcoin
  // and more.
  const [, digits, multiplier] = /^([1-9][0-9]{0,19})([munp]?)$/.exec(text) ?? []
  if (digits === undefined) {
    throw new Bolt11Error(
      'bad-amount',
      'the amount is not a positive number with the multiplier m, u, n or p',
    )
  }
  const picobitcoin = BigInt(digits) * PICOBITCOIN_OF[multiplier as Multiplier]
  // "if multiplier is p and the last decimal of amount is not 0: MUST fail the payment".
  if (picobitcoin % 10n !== 0n) {
    throw new Bolt11Error('bad-amount', 'the amount is not a whole number of millisatoshi')
  }
  if (picobitcoin > SUPPLY_PICOBITCOIN) throw new Bolt11Error('bad-amount', 'the amount exceeds the supply')
  return picobitcoin / 10n
}

/** The shortest form: the largest multiplier that leaves a whole number. */
export function writePrefix(network: Network, amountMsat: bigint | null): string {
  const currency = Object.keys(NETWORK_OF).find((key) => NETWORK_OF[key] === network)!
  if (amountMsat === null) return `ln${currency}`
  const picobitcoin = amountMsat * 10n
  const multiplier = (['', 'm', 'u', 'n', 'p'] as const).find(
    (unit) => picobitcoin % PICOBITCOIN_OF[unit] === 0n,
  )!
  return `ln${currency}${picobitcoin / PICOBITCOIN_OF[multiplier]}${multiplier}`
}
