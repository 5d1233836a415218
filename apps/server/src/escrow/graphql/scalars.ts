import { isRefusal, REFUSALS } from '@holdfast/core'
import { parseMsat } from '@holdfast/core/money'
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
  parseValue: (value) => hex32(value, 'A public key'),
})

builder.scalarType('Hash', {
  description: '32 bytes in lower-case hex: a payment hash, a preimage, a SHA-256.',
  serialize: (value) => value,
  parseValue: (value) => hex32(value, 'This'),
})

function hex32(value: unknown, what: string): string {
  if (typeof value === 'string' && HEX_32.test(value)) return value
  throw new GraphQLError(`${what} is 32 bytes in lower-case hex.`)
}
