import { CLASS, OPCODE, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { type Message, NO_FLAGS, type ResourceRecord } from '@holdfast/protocols/dns/message'
import { nameToWire } from '@holdfast/protocols/dns/names'
import { encodeSoa, encodeTxt } from '@holdfast/protocols/dns/rdata'
import { describe, expect, test } from 'vitest'
import { judgeAnswer, type RecordVerdict } from './record-verdict.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test'
const VALUE = 'bitcoin:?lno=lno1new'
const OLD = 'bitcoin:?lno=lno1old'
const RECORD = { name: NAME, value: VALUE, previous: [OLD] }

const bytes = (text: string) => new TextEncoder().encode(text)
const record = (name: string, type: number, rdata: Uint8Array, ttl = 60): ResourceRecord => ({
  name: `${name}.`,
  type,
  class: CLASS.IN,
  ttl,
  rdata,
})
const txt = (value: string, { name = NAME, ttl = 60 } = {}) =>
  record(name, TYPE.TXT, encodeTxt([bytes(value.slice(0, 9)), bytes(value.slice(9))]), ttl)
const cname = (from: string, to: string) => record(from, TYPE.CNAME, nameToWire(to))
const soa = (ttl: number, minimum: number) => {
  const times = { serial: 1, refresh: 1, retry: 1, expire: 1, minimum }
  return record(
    'shop.test',
    TYPE.SOA,
    encodeSoa({ primary: 'ns.shop.test.', mailbox: 'x.shop.test.', ...times }),
    ttl,
  )
}

function message(parts: Partial<Message> & { ad?: boolean }): Message {
  const { ad = true, ...rest } = parts
  return {
    id: 0,
    opcode: OPCODE.QUERY,
    rcode: RCODE.NOERROR,
    flags: { ...NO_FLAGS, response: true, authenticData: ad },
    question: [],
    answer: [],
    authority: [],
    additional: [],
    ...rest,
  }
}

const NXDOMAIN = { rcode: RCODE.NXDOMAIN }
const edns = (data: number[]) => ({
  edns: {
    udpPayloadSize: 1232,
    version: 0,
    dnssecOk: false,
    options: [{ code: 15, data: Uint8Array.from(data) }],
  },
})

const CASES: [what: string, answer: Parameters<typeof message>[0], verdict: RecordVerdict][] = [
  ['the value', { answer: [txt(VALUE)] }, { verdict: 'seen' }],
  [
    'the value in other case of the name',
    { answer: [txt(VALUE, { name: NAME.toUpperCase() })] },
    { verdict: 'seen' },
  ],
  [
    'the value beside a TXT of another kind',
    { answer: [txt('v=spf1 -all'), txt(VALUE)] },
    { verdict: 'seen' },
  ],
  [
    'the value behind aliases',
    { answer: [txt(VALUE, { name: 'b.test' }), cname(NAME, 'a.test'), cname('a.test', 'b.test')] },
    { verdict: 'seen' },
  ],
  ['the value without AD', { ad: false, answer: [txt(VALUE)] }, { verdict: 'unvalidated' }],
  // Offers are compared to the letter: what differs is another record.
  [
    'the value in upper case',
    { answer: [txt(VALUE.toUpperCase())] },
    { verdict: 'other-content', values: 1 },
  ],
  ['another value', { answer: [txt('bitcoin:?lno=lno1evil')] }, { verdict: 'other-content', values: 1 }],
  ['two values', { answer: [txt(VALUE), txt(OLD)] }, { verdict: 'other-content', values: 2 }],
  [
    'the old value',
    { answer: [txt(OLD, { ttl: 17 })] },
    { verdict: 'stale', held: 'previous', ttlSeconds: 17 },
  ],
  [
    'a denial, which carries AD as well',
    { ...NXDOMAIN, authority: [soa(300, 5)] },
    { verdict: 'stale', held: 'nothing', ttlSeconds: 5 },
  ],
  [
    'a denial that has been kept for a while',
    { ...NXDOMAIN, authority: [soa(2, 5)] },
    { verdict: 'stale', held: 'nothing', ttlSeconds: 2 },
  ],
  ['no data', { authority: [] }, { verdict: 'stale', held: 'nothing', ttlSeconds: null }],
  [
    'the value at another name',
    { answer: [txt(VALUE, { name: 'bob.user._bitcoin-payment.shop.test' })] },
    { verdict: 'stale', held: 'nothing', ttlSeconds: null },
  ],
  [
    'aliases in a ring',
    { answer: [cname(NAME, 'a.test'), cname('a.test', NAME)] },
    { verdict: 'stale', held: 'nothing', ttlSeconds: null },
  ],
  ['SERVFAIL', { rcode: RCODE.SERVFAIL }, { verdict: 'servfail', extendedError: null }],
  [
    'SERVFAIL, bogus',
    { rcode: RCODE.SERVFAIL, ...edns([0, 6, 0x21]) },
    { verdict: 'servfail', extendedError: 6 },
  ],
  [
    'SERVFAIL, cut off',
    { rcode: RCODE.SERVFAIL, ...edns([0]) },
    { verdict: 'servfail', extendedError: null },
  ],
  ['REFUSED', { rcode: RCODE.REFUSED }, { verdict: 'refused', rcode: 'REFUSED' }],
  ['NOTIMP', { rcode: RCODE.NOTIMP }, { verdict: 'refused', rcode: 'NOTIMP' }],
]

describe('an answer with', () => {
  test.each(CASES)('%s', (_what, answer, verdict) => {
    expect(judgeAnswer(message(answer), RECORD)).toEqual(verdict)
  })

  test('an old value that nobody told us of is another one', () => {
    const answer = message({ answer: [txt(OLD)] })
    expect(judgeAnswer(answer, { name: NAME, value: VALUE })).toEqual({ verdict: 'other-content', values: 1 })
  })
})
