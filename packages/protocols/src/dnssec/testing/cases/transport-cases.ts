import { TYPE } from '../../../dns/codes.ts'
import { nameToWire } from '../../../dns/names.ts'
import { type ValidationCase, withShop } from '../crafted-case.ts'
import { makeWorld, tampered } from '../signed-world.ts'

/** What never becomes an answer; others only ask again. */
export const TRANSPORT: readonly ValidationCase[] = [
  {
    title: 'the DNS is down',
    world: { ...withShop({}), query: () => Promise.reject(new Error('ECONNREFUSED')) },
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
  {
    title: 'SERVFAIL',
    world: tampered(withShop({}), (response) => {
      response.rcode = 2
    }),
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
  {
    title: 'a truncated answer',
    world: tampered(withShop({}), ({ flags }) => {
      flags.truncated = true
    }),
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
  {
    title: 'the answer to another question',
    world: tampered(withShop({}), ({ question }) => {
      question[0]!.name = 'bob.shop.test.'
    }),
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
  {
    title: 'a query instead of a response',
    world: tampered(withShop({}), ({ flags }) => {
      flags.response = false
    }),
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
  {
    title: 'bytes that are no message',
    world: { ...withShop({}), query: async () => Uint8Array.of(1, 2, 3) },
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
  {
    title: 'a referral',
    world: makeWorld([{ apex: '.', data: (add) => add('test', TYPE.NS, nameToWire('ns.elsewhere.')) }]),
    expected: 'unavailable',
    unasked: 'it is a matter of transport',
  },
]
