import { bech32 } from '@scure/base'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../utf8.ts'
import { decodeLnurl, encodeLnurl, lightningAddressUrl } from './lnurl.ts'

/** The example of LUD-01. */
const URL_OF_LUD01 =
  'https://service.com/api?q=3fc3645b439ce8e7f2553a69e5267081d96dcd340693afabe04be7b0ccd178df'
const LNURL_OF_LUD01 =
  'LNURL1DP68GURN8GHJ7UM9WFMXJCM99E3K7MF0V9CXJ0M385EKVCENXC6R2C35XVUKXEFCV5MKVV34X5EKZD3EV56NYD3HXQURZEPEXEJXXEPNXSCRVWFNV9NXZCN9XQ6XYEFHVGCXXCMYXYMNSERXFQ5FNS'
const ONION = `http://${'a'.repeat(56)}.onion/pay`

const bech32Of = (prefix: string, bytes: Uint8Array) => bech32.encode(prefix, bech32.toWords(bytes), false)
const lnurlOf = (text: string) => bech32Of('lnurl', encodeUtf8(text))
const failing = (code: string) => expect.objectContaining({ name: 'LnurlError', code })

test('the example of LUD-01 is read and written', () => {
  expect(decodeLnurl(LNURL_OF_LUD01)).toBe(URL_OF_LUD01)
  expect(decodeLnurl(LNURL_OF_LUD01.toLowerCase())).toBe(URL_OF_LUD01)
  expect(decodeLnurl(`lightning:${LNURL_OF_LUD01}`)).toBe(URL_OF_LUD01)
  expect(encodeLnurl(URL_OF_LUD01)).toBe(LNURL_OF_LUD01)
})

test('an onion service may do without TLS', () => {
  expect(decodeLnurl(encodeLnurl(ONION))).toBe(ONION)
})

describe('not read is', () => {
  test.each<[string, string, string]>([
    ['mixed case', LNURL_OF_LUD01.replace('D', 'd'), 'bad-bech32'],
    ['a wrong checksum', `${LNURL_OF_LUD01.slice(0, -1)}Q`, 'bad-bech32'],
    ['a cut one', LNURL_OF_LUD01.slice(0, 40), 'bad-bech32'],
    ['nothing', '', 'bad-bech32'],
    ['a URL that is not encoded', URL_OF_LUD01, 'bad-bech32'],
    ['an invoice', bech32Of('lnbc', encodeUtf8('https://a.example/')), 'bad-prefix'],
    ['one of 2,001 characters', lnurlOf(`https://a.example/${'x'.repeat(1_300)}`), 'too-long'],
    ['http:// of the open web', lnurlOf('http://a.example/'), 'bad-url'],
    ['another scheme', lnurlOf('file:///etc/passwd'), 'bad-url'],
    ['a script', lnurlOf('javascript:alert(1)'), 'bad-url'],
    ['no URL', lnurlOf('alice@shop.example'), 'bad-url'],
    ['credentials', lnurlOf('https://a:b@a.example/'), 'bad-url'],
    ['a user without a password', lnurlOf('https://a@a.example/'), 'bad-url'],
    ['a space', lnurlOf('https://a.example/ x'), 'bad-url'],
    ['a line break', lnurlOf('https://a.exa\nmple/'), 'bad-url'],
    ['another script', lnurlOf('https://bücher.example/'), 'bad-url'],
    ['bytes that are not UTF-8', bech32Of('lnurl', new Uint8Array([0xff, 0xfe])), 'bad-url'],
  ])('%s', (_, text, code) => {
    expect(() => decodeLnurl(text)).toThrow(failing(code))
  })

  test('padding that is not zero', () => {
    const words = bech32.toWords(encodeUtf8('https://a.example/'))
    words[words.length - 1] = (words.at(-1) ?? 0) | 1
    expect(() => decodeLnurl(bech32.encode('lnurl', words, false))).toThrow(failing('bad-bech32'))
  })
})

test('not written is what would not be read', () => {
  expect(() => encodeLnurl('http://a.example/')).toThrow(failing('bad-url'))
})

test('every https URL comes back as it was', () => {
  const character = fc.constantFrom(...'abcXYZ019-._~!$&*+,;=:@/?%')
  fc.assert(
    fc.property(fc.string({ unit: character, maxLength: 300 }), (rest) => {
      const url = `https://a.example/${rest}`
      expect(decodeLnurl(encodeLnurl(url))).toBe(url)
    }),
  )
})

test('whatever is given, an LNURL is read or refused by name', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.uint8Array().map((bytes) => bech32Of('lnurl', bytes)),
      ),
      (text) => {
        try {
          decodeLnurl(text)
        } catch (error) {
          expect(error).toMatchObject({ name: 'LnurlError' })
        }
      },
    ),
  )
})

describe('a Lightning Address', () => {
  test.each([
    ['satoshi', 'bitcoin.org', 'https://bitcoin.org/.well-known/lnurlp/satoshi'],
    ['a.b-c_9', 'shop.example:8443', 'https://shop.example:8443/.well-known/lnurlp/a.b-c_9'],
    ['x', 'abc.onion', 'http://abc.onion/.well-known/lnurlp/x'],
    ['x', 'abc.onion:81', 'http://abc.onion:81/.well-known/lnurlp/x'],
  ])('%s@%s is asked at %s', (user, domain, url) => {
    expect(lightningAddressUrl({ user, domain })).toBe(url)
  })

  test.each([
    ['Satoshi', 'bitcoin.org', 'bad-address'],
    ['', 'bitcoin.org', 'bad-address'],
    ['a/b', 'bitcoin.org', 'bad-address'],
    ['..', 'bitcoin.org', 'bad-address'],
    ['a', 'Bitcoin.org', 'bad-address'],
    ['a', 'bitcoin.org/x', 'bad-address'],
    ['a', 'evil.example#bitcoin.org', 'bad-address'],
    ['a', 'user@bitcoin.org', 'bad-url'],
    ['a', '', 'bad-address'],
  ])('%s@%s is refused', (user, domain, code) => {
    expect(() => lightningAddressUrl({ user, domain })).toThrow(failing(code))
  })
})
