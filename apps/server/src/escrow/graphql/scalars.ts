import { isRefusal, REFUSALS } from '@holdfast/core'
import { parseMsat } from '@holdfast/core/money'
import { hexToBytes } from '@holdfast/protocols/hex'
import { isPoint } from '@holdfast/protocols/point'
import { GraphQLError } from 'graphql'
import { builder } from './builder.ts'

const HEX_32 = /^[0-9a-f]{64}$/

builder.scalarType('Msat', {
  description: 'Millisatoshi, as a decimal string: JSON numbers are too small for money.',
  serialize: (value) => value.toString(),
  parseValue(value) {
    const amount = typeof value === 'string' ? parseMsat(value) : null
    if (amount !== null && !isRefusal(amount)) return amount
    throw new GraphQLError(REFUSALS.AMOUNT_INVALID.title)
  },
})

builder.scalarType('Milliseconds', {
  description: 'An integer. Where the name ends in `At`: since 1970; where it ends in `Ms`: a span.',
  serialize: (value) => value,
  parseValue(value) {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw new GraphQLError('Milliseconds are a whole number, not negative.')
  },
})

builder.scalarType('PublicKey', {
  description: 'A Nostr public key: 32 bytes in lower-case hex.',
  serialize: (value) => value,
  parseValue(value) {
    const key = hex32(value, 'A public key')
    // BIP-340 names the point with this x whose y is even; about half of all numbers are the x of no point.
    if (isPoint(hexToBytes(`02${key}`))) return key
    throw new GraphQLError('A public key is a point of secp256k1.')
  },
})

builder.scalarType('Hash', {
  description: '32 bytes in lower-case hex: a payment hash, a preimage, a SHA-256. Capitals are understood.',
  serialize: (value) => value,
  // A buyer who pastes a preimage must not lose time, or the money, to how a wallet spells it.
  parseValue: (value) => hex32(typeof value === 'string' ? value.toLowerCase() : value, 'This'),
})

function hex32(value: unknown, what: string): string {
  if (typeof value === 'string' && HEX_32.test(value)) return value
  throw new GraphQLError(`${what} is 32 bytes in lower-case hex.`)
}
