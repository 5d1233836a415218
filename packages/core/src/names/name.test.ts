import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isRefusal } from '../refusals.ts'
import { parseNewName, skeletonOf } from './name.ts'

describe('a name that we register', () => {
  test.each([
    ['alice', 'alice'],
    ['₿alice', 'alice'],
    ['ALICE', 'alice'],
    ['a', 'a'],
    ['7', '7'],
    ['a.b-c_d', 'a.b-c_d'],
    ['x'.repeat(63), 'x'.repeat(63)],
    ['administration', 'administration'],
  ])('%j is %j', (given, user) => {
    expect(parseNewName(given, 'shop.test')).toMatchObject({ user, domain: 'shop.test' })
  })

  test.each([
    ['', 'length'],
    ['₿', 'length'],
    ['x'.repeat(64), 'length'],
    ['al ice', 'characters'],
    ['alice@shop', 'characters'],
    ['al+ice', 'characters'],
    ['a\u0301lice', 'characters'],
    ['\u0430lice', 'characters'],
    ['alice\n', 'characters'],
    ['xn--lice-8cd', 'punycode'],
    ['a.xn--lice-8cd', 'punycode'],
    ['-alice', 'edges'],
    ['alice-', 'edges'],
    ['_alice', 'edges'],
    ['.alice', 'edges'],
    ['alice.', 'edges'],
    ['al..ice', 'separators'],
    ['al._ice', 'separators'],
    ['al--ice', 'separators'],
  ])('%j breaks the rule of %s', (given, rule) => {
    expect(parseNewName(given, 'shop.test')).toMatchObject({ refused: 'NAME_INVALID', data: { rule } })
  })

  test('fits the DNS together with its domain (RFC 1035: 253 characters)', () => {
    const domain = `${'d'.repeat(60)}.${'d'.repeat(60)}.${'d'.repeat(60)}.test`
    const room = 253 - '.user._bitcoin-payment.'.length - domain.length
    expect(parseNewName('x'.repeat(room), domain)).toMatchObject({ domain })
    expect(parseNewName('x'.repeat(room + 1), domain)).toMatchObject({ data: { rule: 'dns-length' } })
  })

  test.each(['admin', 'Admin', 'adm1n', 'r00t', 'supp0rt', 'www', 'vvww', 'no-reply', 'no.reply', 'w-w-w'])(
    '%s is reserved',
    (given) => {
      expect(parseNewName(given, 'shop.test')).toMatchObject({ refused: 'NAME_RESERVED' })
    },
  )

  test.each([
    ['pay1', 'payl'],
    ['b0b', 'bob'],
    ['modern', 'modem'],
    ['vvolf', 'wolf'],
  ])('%s looks like %s', (one, other) => {
    expect(skeletonOf(one)).toBe(skeletonOf(other))
  })

  test('whatever is given: a refusal, or a name that is read again as itself', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-zA-Z0-9._-]{0,70}$/)),
        (given) => {
          const name = parseNewName(given, 'shop.test')
          if (isRefusal(name)) return ['NAME_INVALID', 'NAME_RESERVED'].includes(name.refused)
          expect(parseNewName(name.user, name.domain)).toEqual(name)
          return /^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$/.test(name.user)
        },
      ),
    )
  })
})
