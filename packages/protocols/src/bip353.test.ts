import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { joinCharacterStrings, parseName, recordName, recordValue, selectInstruction } from './bip353.ts'

describe('a name', () => {
  test('says its parts, how it is shown and where its record lives', () => {
    const name = parseName('₿alice@shop.example')
    expect(name).toEqual({
      user: 'alice',
      domain: 'shop.example',
      text: 'alice@shop.example',
      display: '₿alice@shop.example',
      hasPunycode: false,
    })
    expect(recordName(name)).toBe('alice.user._bitcoin-payment.shop.example')
  })

  test.each([
    ['alice@shop.example', 'alice@shop.example'],
    ['₿Alice@SHOP.Example', 'alice@shop.example'],
    ['a.b-c_d@shop.example', 'a.b-c_d@shop.example'],
    ['simple@dnssec_proof_tests.bitcoin.ninja', 'simple@dnssec_proof_tests.bitcoin.ninja'],
    ['7@8.example', '7@8.example'],
    ['alice@localhost', 'alice@localhost'],
  ])('%s is read as %s', (text, canonical) => {
    expect(parseName(text).text).toBe(canonical)
  })

  test.each([
    ['bücher@shop.example', 'xn--bcher-kva@shop.example'],
    ['alice@bücher.example', 'alice@xn--bcher-kva.example'],
    ['alice@xn--bcher-kva.example', 'alice@xn--bcher-kva.example'],
    // The first letter is Cyrillic.
    ['\u0430lice@shop.example', 'xn--lice-43d@shop.example'],
  ])('%s is shown as punycode', (text, canonical) => {
    expect(parseName(text)).toMatchObject({ text: canonical, display: `₿${canonical}`, hasPunycode: true })
  })

  test.each([
    ['', 'bad-form'],
    ['alice', 'bad-form'],
    ['@shop.example', 'bad-form'],
    ['alice@', 'bad-form'],
    ['₿@', 'bad-form'],
    ['alice@shop@example', 'bad-form'],
    ['₿₿alice@shop.example', 'bad-character'],
    ['al ice@shop.example', 'bad-character'],
    [' alice@shop.example', 'bad-character'],
    ['alice@shop.example\n', 'bad-character'],
    ['alice+tips@shop.example', 'bad-character'],
    ['alice@shop.example/x', 'bad-character'],
    ['alice@shop.example:53', 'bad-character'],
    ['al%69ce@shop.example', 'bad-character'],
    ['\u2665@shop.example', 'bad-character'],
    ['a\u200d\u0628@shop.example', 'bad-character'],
    // A soft hyphen, which IDNA drops.
    ['al\u00adice@shop.example', 'bad-character'],
    // Full-width letters and the Kelvin sign, which IDNA turns into ASCII.
    ['\uff41lice@shop.example', 'bad-character'],
    ['\u212aim@shop.example', 'bad-character'],
    // An ideographic full stop, which IDNA turns into a dot.
    ['a\u3002b@shop.example', 'bad-character'],
    ['\ud800@shop.example', 'bad-character'],
    ['a..b@shop.example', 'bad-label'],
    ['.a@shop.example', 'bad-label'],
    ['alice@shop.example.', 'bad-label'],
    ['alice@-shop.example', 'bad-label'],
    ['alice@shop-.example', 'bad-label'],
    [`${'a'.repeat(64)}@shop.example`, 'bad-label'],
    [`alice@${'abcdefgh.'.repeat(30)}example`, 'too-long'],
    [`alice@${'abcdefgh.'.repeat(24)}abcdefghij`, 'too-long'],
  ])('%j is refused as %s', (text, code) => {
    expect(() => parseName(text)).toThrow(expect.objectContaining({ name: 'Bip353Error', code }))
  })

  test('whose record has a DNS name of 253 characters is the longest', () => {
    expect(recordName(parseName(`alice@${'abcdefgh.'.repeat(24)}abcdefghi`))).toHaveLength(253)
  })

  test('in any text is refused with a code, or read in its only form', () => {
    const unit = fc.constantFrom(
      'a',
      'B',
      '7',
      '-',
      '_',
      '.',
      '@',
      '₿',
      'ä',
      '\u0430',
      ' ',
      '\u200d',
      '/',
      '%',
    )
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit, maxLength: 12 }), fc.string({ unit: 'binary' })), (text) => {
        try {
          const name = parseName(text)
          expect(parseName(name.display)).toEqual(name)
          expect(name.text).toMatch(/^[a-z0-9._-]+@[a-z0-9._-]+$/)
        } catch (error) {
          expect(error).toMatchObject({ name: 'Bip353Error', code: expect.any(String) })
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a record', () => {
  test('holds the offer in a URI without an address', () => {
    expect(recordValue('lno1x')).toBe('bitcoin:?lno=lno1x')
  })

  test('of any bytes keeps all of them', () => {
    expect(joinCharacterStrings([Uint8Array.of(0xff, 0), Uint8Array.of(0x80)])).toBe('\u00ff\0\u0080')
    expect(joinCharacterStrings([])).toBe('')
  })
})

describe('among the TXT records of a name', () => {
  const uri = 'bitcoin:?lno=x'
  test.each<[string, string[], ReturnType<typeof selectInstruction>]>([
    ['the only one that begins with bitcoin: is taken', ['v=spf1', uri, ''], { uri }],
    ['upper case counts', ['BITCOIN:?LNO=X'], { uri: 'BITCOIN:?LNO=X' }],
    ['none means that there is no instruction', [], { problem: 'none' }],
    [
      'others alone mean that there is no instruction',
      ['bitcoin is cool', ' bitcoin:x', 'xbitcoin:'],
      { problem: 'none' },
    ],
    ['two refuse each other', [uri, 'Bitcoin:other'], { problem: 'ambiguous' }],
    ['two equal ones refuse each other', [uri, uri], { problem: 'ambiguous' }],
  ])('%s', (_, values, selected) => {
    expect(selectInstruction(values)).toEqual(selected)
  })
})
