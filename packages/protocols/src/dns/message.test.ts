import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CLASS, OPCODE, RCODE, rcodeName, TYPE, typeName } from './codes.ts'
import { decodeMessage, dnssecQuery, encodeMessage, type Message, NO_FLAGS } from './message.ts'
import { encodeTxt } from './rdata.ts'
import { anyMessage, anyTsig } from './testing/arbitraries.ts'
import { appendTsig, decodeTsigRecord, encodeTsigRecord, splitTsig } from './tsig.ts'
import { DnsWireError } from './wire-error.ts'

const hex = (text: string) => Uint8Array.from(text.match(/[0-9a-f]{2}/g) ?? [], (pair) => parseInt(pair, 16))

function refusal(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof DnsWireError) return error.code
    throw error
  }
  return 'accepted'
}

const empty: Message = {
  id: 1,
  opcode: OPCODE.QUERY,
  rcode: RCODE.NOERROR,
  flags: NO_FLAGS,
  question: [],
  answer: [],
  authority: [],
  additional: [],
}

const head = (counts: string) => `0001 8000 ${counts}`

describe('a DNS message', () => {
  test('decode(encode(m)) = m', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(decodeMessage(encodeMessage(message))).toEqual(message)
      }),
      { numRuns: 500 },
    )
  })

  test('encode(decode(b)) = b for what our encoder wrote', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const bytes = encodeMessage(message)
        expect(encodeMessage(decodeMessage(bytes))).toEqual(bytes)
      }),
      { numRuns: 100 },
    )
  })

  test('mutated, cut or random bytes raise nothing but DnsWireError', () => {
    const mutated = fc
      .tuple(
        anyMessage,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 6 }),
        fc.option(fc.nat(), { freq: 4 }),
      )
      .map(([message, edits, cut]) => {
        const bytes = encodeMessage(message)
        for (const [at, value] of edits) bytes[at % bytes.length] = value
        return cut === null ? bytes : bytes.slice(0, cut % bytes.length)
      })
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        refusal(() => decodeMessage(bytes))
        refusal(() => splitTsig(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test('a query as dig writes it', () => {
    const bytes = encodeMessage(dnssecQuery(0x1234, 'Example.test', TYPE.TXT))
    expect(bytes).toEqual(
      hex(
        '1234 0110 0001 0000 0000 0001 07 4578616d706c65 04 74657374 00 0010 0001 00 0029 04d0 0000 8000 0000',
      ),
    )
  })

  test('a TTL with the highest bit set counts as zero (RFC 2181 §8)', () => {
    const bytes = hex(`${head('0000 0001 0000 0000')} 00 ff78 0001 80000001 0000`)
    expect(decodeMessage(bytes).answer[0]?.ttl).toBe(0)
  })

  test('an UPDATE carries prerequisites and deletions without data (RFC 2136 §2.4, §2.5)', () => {
    const update: Message = {
      ...empty,
      opcode: OPCODE.UPDATE,
      question: [{ name: 'shop.test.', type: TYPE.SOA, class: CLASS.IN }],
      answer: [{ name: 'a.shop.test.', type: TYPE.ANY, class: CLASS.NONE, ttl: 0, rdata: new Uint8Array() }],
      authority: [
        { name: 'a.shop.test.', type: TYPE.TXT, class: CLASS.ANY, ttl: 0, rdata: new Uint8Array() },
        { name: 'a.shop.test.', type: TYPE.TXT, class: CLASS.IN, ttl: 60, rdata: encodeTxt([hex('61')]) },
      ],
    }
    expect(decodeMessage(encodeMessage(update))).toEqual(update)
    expect(refusal(() => encodeMessage({ ...update, opcode: OPCODE.QUERY }))).toBe('truncated')
  })

  test('names written twice are compressed, and MX, SOA and NS names from others are decompressed', () => {
    const bytes = hex(
      `${head('0001 0002 0000 0000')} 04 74657374 00 0002 0001
       c00c 0002 0001 0000003c 0005 02 6e73 c00c
       c00c 000f 0001 0000003c 0006 000a 01 6d c00c`,
    )
    const { answer } = decodeMessage(bytes)
    expect(answer.map(({ rdata }) => rdata)).toEqual([
      hex('02 6e73 04 74657374 00'),
      hex('000a 01 6d 04 74657374 00'),
    ])
    const again = encodeMessage({ ...empty, answer })
    expect(again.length).toBeLessThan(12 + 2 * 16 + 8 + 10)
  })

  const refused: [string, string, string][] = [
    ['cut inside the header', '0001 80', 'truncated'],
    ['a record is missing', head('0000 0001 0000 0000'), 'truncated'],
    ['bytes after the last record', `${head('0000 0000 0000 0000')} 00`, 'trailing-bytes'],
    ['a pointer to itself', `${head('0001 0000 0000 0000')} c00c 0001 0001`, 'bad-pointer'],
    ['a pointer forwards', `${head('0001 0000 0000 0000')} c020 0001 0001`, 'bad-pointer'],
    ['a pointer into its own name', `${head('0001 0000 0000 0000')} 01 61 c00c 0001 0001`, 'bad-pointer'],
    ['a cut pointer', `${head('0001 0000 0000 0000')} c0`, 'truncated'],
    ['a cut label', `${head('0001 0000 0000 0000')} 05 61`, 'truncated'],
    ['a label type that does not exist', `${head('0001 0000 0000 0000')} 40 00 0001 0001`, 'bad-label'],
    [
      'two OPT',
      `${head('0000 0000 0000 0002')} 00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000`,
      'bad-opt',
    ],
    ['OPT in the answer', `${head('0000 0001 0000 0000')} 00 0029 04d0 00000000 0000`, 'bad-opt'],
    ['OPT below the root', `${head('0000 0000 0000 0001')} 01 61 00 0029 04d0 00000000 0000`, 'bad-opt'],
    [
      'OPT with a cut option',
      `${head('0000 0000 0000 0001')} 00 0029 04d0 00000000 0003 000a 01`,
      'truncated',
    ],
    ['A of 3 bytes', `${head('0000 0001 0000 0000')} 00 0001 0001 00000000 0003 010203`, 'bad-rdata'],
    ['AAAA of 3 bytes', `${head('0000 0001 0000 0000')} 00 001c 0001 00000000 0003 010203`, 'bad-rdata'],
    ['TXT without a string', `${head('0000 0001 0000 0000')} 00 0010 0001 00000000 0000`, 'truncated'],
    [
      'TXT whose string is cut',
      `${head('0000 0001 0000 0000')} 00 0010 0001 00000000 0002 0561`,
      'truncated',
    ],
    [
      'NS with bytes behind the name',
      `${head('0000 0001 0000 0000')} 00 0002 0001 00000000 0002 0000`,
      'trailing-bytes',
    ],
    [
      'RDATA longer than the message',
      `${head('0000 0001 0000 0000')} 00 ff78 0001 00000000 0002 00`,
      'truncated',
    ],
    ['NSEC without types', `${head('0000 0001 0000 0000')} 00 002f 0001 00000000 0001 00`, 'bad-rdata'],
    [
      'NSEC with a compressed name',
      `${head('0001 0001 0000 0000')} 01 61 00 0001 0001 c00c 002f 0001 00000000 0005 c00c 000140`,
      'bad-pointer',
    ],
    [
      'NSEC whose bitmap ends in zero',
      `${head('0000 0001 0000 0000')} 00 002f 0001 00000000 0005 00 00024000`,
      'bad-rdata',
    ],
    [
      'NSEC with an empty window',
      `${head('0000 0001 0000 0000')} 00 002f 0001 00000000 0003 00 0000`,
      'bad-rdata',
    ],
    [
      'NSEC with a window twice',
      `${head('0000 0001 0000 0000')} 00 002f 0001 00000000 0007 00 000140 000140`,
      'bad-rdata',
    ],
    [
      'NSEC3 without a hash',
      `${head('0000 0001 0000 0000')} 00 0032 0001 00000000 0006 01 00 0000 00 00`,
      'bad-rdata',
    ],
    [
      'TSIG before another record',
      `${head('0000 0000 0000 0002')} 00 00fa 00ff 00000000 0000 00 ff78 0001 00000000 0000`,
      'bad-tsig',
    ],
    ['TSIG in the answer', `${head('0000 0001 0000 0000')} 00 00fa 00ff 00000000 0000`, 'bad-tsig'],
  ]
  test.each(refused)('%s is refused', (_, bytes, code) => {
    expect(refusal(() => decodeMessage(hex(bytes)))).toBe(code)
  })

  test('a pointer bomb ends at 255 octets', () => {
    const label = `3f${'61'.repeat(63)}`
    const at = (n: number) => (0xc000 | n).toString(16)
    const questions = [`${label} 00 0001 0001`]
    for (let i = 1; i < 6; i++)
      questions.push(`${label} ${at(12 + (i === 1 ? 0 : 69 + (i - 2) * 70))} 0001 0001`)
    expect(refusal(() => decodeMessage(hex(`${head('0006 0000 0000 0000')} ${questions.join(' ')}`)))).toBe(
      'name-too-long',
    )
  })

  test('a long chain of bare pointers is refused', () => {
    let bytes = `${head('0082 0000 0000 0000')} 00 0001 0001`
    let previous = 12
    for (let i = 1; i < 0x82; i++) {
      bytes += `${(0xc000 | previous).toString(16)} 0001 0001`
      previous = 17 + (i - 1) * 6
    }
    expect(refusal(() => decodeMessage(hex(bytes)))).toBe('bad-pointer')
  })

  test('64 KB is the end of every message', () => {
    const record = {
      name: '.',
      type: 65_400,
      class: CLASS.IN,
      ttl: 0,
      rdata: new Uint8Array(65_535 - 12 - 11),
    }
    expect(encodeMessage({ ...empty, answer: [record] })).toHaveLength(65_535)
    const longer = { ...record, rdata: new Uint8Array(65_535 - 12 - 10) }
    expect(refusal(() => encodeMessage({ ...empty, answer: [longer] }))).toBe('message-too-long')
    expect(refusal(() => encodeMessage({ ...empty, answer: [record] }, 512))).toBe('message-too-long')
    expect(refusal(() => decodeMessage(new Uint8Array(65_536)))).toBe('message-too-long')
  })

  const unwritable: [string, Message, string][] = [
    ['an opcode of 16', { ...empty, opcode: 16 }, 'out-of-range'],
    ['an extended rcode without EDNS', { ...empty, rcode: RCODE.BADVERS }, 'out-of-range'],
    ['an id of 65536', { ...empty, id: 65_536 }, 'out-of-range'],
    [
      'a TTL of 32 bits',
      { ...empty, answer: [{ name: '.', type: 65_400, class: 1, ttl: 2 ** 31, rdata: hex('') }] },
      'out-of-range',
    ],
    [
      'an OPT as a record',
      { ...empty, additional: [{ name: '.', type: TYPE.OPT, class: 1, ttl: 0, rdata: hex('') }] },
      'bad-opt',
    ],
    [
      'a TSIG before another record',
      { ...empty, answer: [{ name: '.', type: TYPE.TSIG, class: 255, ttl: 0, rdata: hex('') }] },
      'bad-tsig',
    ],
    [
      'an A of 3 bytes',
      { ...empty, answer: [{ name: '.', type: TYPE.A, class: 1, ttl: 0, rdata: hex('010203') }] },
      'bad-rdata',
    ],
  ]
  test.each(unwritable)('%s is not written', (_, message, code) => {
    expect(refusal(() => encodeMessage(message))).toBe(code)
  })
})

describe('TSIG', () => {
  test('splitTsig gives back what appendTsig was given', () => {
    fc.assert(
      fc.property(anyMessage, anyTsig, (message, tsig) => {
        fc.pre(!message.additional.some(({ type }) => type === TYPE.TSIG))
        const unsigned = encodeMessage({ ...message, id: tsig.originalId })
        const signed = appendTsig(unsigned, tsig)
        expect(decodeMessage(signed).additional.at(-1)).toEqual(encodeTsigRecord(tsig))
        // A forwarder may change the id on the way; the MAC covers the first one (RFC 8945 §5.3).
        signed[0] = 0xff
        expect(splitTsig(signed)).toEqual({ covered: unsigned, tsig })
      }),
      { numRuns: 200 },
    )
  })

  test('a message without TSIG splits into nothing', () => {
    expect(splitTsig(encodeMessage(empty))).toBeNull()
  })

  test('class ANY and TTL 0 are required (RFC 8945 §4.2)', () => {
    const record = { name: 'k.', type: TYPE.TSIG, class: CLASS.IN, ttl: 0, rdata: hex('') }
    expect(refusal(() => decodeTsigRecord(record))).toBe('bad-tsig')
  })
})

test('codes have names', () => {
  expect([typeName(TYPE.TXT), typeName(65_400), rcodeName(3), rcodeName(3000)]).toEqual([
    'TXT',
    'TYPE65400',
    'NXDOMAIN',
    'RCODE3000',
  ])
})
