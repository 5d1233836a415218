import { CLASS, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, type Message } from '@holdfast/protocols/dns/message'
import { encodeTxt } from '@holdfast/protocols/dns/rdata'
import { afterEach, describe, expect, test } from 'vitest'
import { type Script, startScriptedDnsServer } from '../testing/scripted-dns-server.ts'
import { type AskResolversOptions, makeAskResolvers } from './ask-resolvers.ts'
import { parseResolverEndpoint } from './resolver-endpoint.ts'
import { type DohReply, startDohServer } from './testing/doh-server.ts'
import { makeSelfSigned } from './testing/self-signed.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test'
const VALUE = `bitcoin:?lno=lno1${'qp0z'.repeat(150)}`
const RECORD = { name: NAME, value: VALUE }
/** Only what is silent takes so long; the machine may be busy. */
const PATIENCE_MS = 20_000

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function asker(resolvers: readonly string[], options: Partial<AskResolversOptions> = {}) {
  const made = makeAskResolvers({
    resolvers: resolvers.map(parseResolverEndpoint),
    quorum: resolvers.length,
    timeoutMs: PATIENCE_MS,
    ...options,
  })
  ends.push(() => made.close())
  return made
}

/** The answer of a validating resolver that sees the record. */
function seeing(query: Uint8Array, change: (message: Message) => Partial<Message> = () => ({})): Uint8Array {
  const asked = decodeMessage(query)
  const rdata = encodeTxt([...VALUE.matchAll(/.{1,255}/g)].map(([part]) => new TextEncoder().encode(part)))
  const message: Message = {
    ...asked,
    flags: { ...asked.flags, response: true, recursionAvailable: true },
    answer: [{ name: `${NAME}.`, type: TYPE.TXT, class: CLASS.IN, ttl: 60, rdata }],
  }
  return encodeMessage({ ...message, ...change(message) })
}

async function dns(script: Script) {
  const server = await startScriptedDnsServer(script)
  ends.push(() => server.stop())
  return server
}
async function doh(reply: (query: Uint8Array) => DohReply, tls?: { key: string; cert: string }) {
  const server = await startDohServer(({ body }) => reply(body), tls)
  ends.push(() => server.stop())
  return server
}

const truncated = (wire: Uint8Array) =>
  seeing(wire, ({ flags }) => ({ flags: { ...flags, truncated: true }, answer: [] }))

type Expected = { verdict: string; detail?: unknown; rcode?: string }

describe('resolvers that see the record', () => {
  test('over UDP, over TCP, over TCP because UDP was cut off, and over HTTPS, are a quorum', async () => {
    const udp = await dns(({ wire }) => [seeing(wire)])
    const cut = await dns(({ wire, via }) => [via === 'udp' ? truncated(wire) : seeing(wire)])
    const tcp = await dns(({ wire }) => [seeing(wire)])
    const https = await doh((query) => ({ body: seeing(query) }))
    const { ask } = asker([udp.server, `udp://${cut.server}`, `tcp://${tcp.server}`, https.url])
    const report = await ask(RECORD)
    expect(report).toMatchObject({ decision: 'confirmed', seen: 4, needed: 4 })
    expect(report.results.map(({ resolver, verdict }) => [resolver, verdict])).toEqual([
      [udp.server, 'seen'],
      [`udp://${cut.server}`, 'seen'],
      [`tcp://${tcp.server}`, 'seen'],
      [https.url, 'seen'],
    ])
    expect(cut.requests.map(({ via }) => via)).toEqual(['udp', 'tcp'])
    expect(tcp.requests.map(({ via }) => via)).toEqual(['tcp'])
  })

  test('are asked to validate and to say so', async () => {
    const udp = await dns(({ wire }) => [seeing(wire)])
    const https = await doh((query) => ({ body: seeing(query) }))
    await asker([udp.server, https.url]).ask(RECORD)
    for (const wire of [udp.requests[0]!.wire, https.requests[0]!.body]) {
      const { flags, edns, question } = decodeMessage(wire)
      expect(flags).toMatchObject({ recursionDesired: true, authenticData: true, checkingDisabled: false })
      expect(edns).toMatchObject({ udpPayloadSize: 1232, dnssecOk: false })
      expect(question).toEqual([{ name: `${NAME}.`, type: TYPE.TXT, class: CLASS.IN }])
    }
    expect(https.requests[0]!.headers).toMatchObject({
      ':method': 'POST',
      ':path': '/dns-query',
      'content-type': 'application/dns-message',
      accept: 'application/dns-message',
    })
    expect(decodeMessage(https.requests[0]!.body).id).toBe(0)
  })

  test('decide without waiting for those who are silent', async () => {
    const quick = await dns(({ wire }) => [seeing(wire)])
    const silent = await dns(() => [])
    const { ask } = asker([quick.server, silent.server], { quorum: 1, timeoutMs: 600_000 })
    const report = await ask(RECORD)
    expect(report).toMatchObject({
      decision: 'confirmed',
      results: [{ verdict: 'seen' }, { verdict: 'not-awaited' }],
    })
  })
})

test('no resolvers are asked where none are configured', async () => {
  expect(await asker([]).ask(RECORD)).toEqual({
    decision: 'confirmed',
    seen: 0,
    needed: 0,
    retryAfterMs: null,
    results: [],
  })
})

test.each([
  [-1, ['192.0.2.1']],
  [2, ['192.0.2.1']],
])('%i of %j is no quorum', (quorum, resolvers) => {
  expect(() => asker(resolvers, { quorum })).toThrow(RangeError)
})

describe('a resolver over UDP', () => {
  const badId = (wire: Uint8Array) => seeing(wire, ({ id }) => ({ id: id ^ 1 }))
  const cases: [what: string, script: Script, verdict: Expected][] = [
    ['that is silent', () => [], { verdict: 'timeout' }],
    ['that answers to something else', ({ wire }) => [badId(wire)], { verdict: 'timeout' }],
    ['that answers to something else first', ({ wire }) => [badId(wire), seeing(wire)], { verdict: 'seen' }],
    ['that sends garbage behind the header', ({ wire }) => [cutOff(seeing(wire))], { verdict: 'malformed' }],
    [
      'that fails',
      ({ wire }) => [seeing(wire, () => ({ rcode: RCODE.SERVFAIL, answer: [] }))],
      { verdict: 'servfail' },
    ],
    [
      'that is none for us',
      ({ wire }) => [seeing(wire, () => ({ rcode: RCODE.REFUSED, answer: [] }))],
      { verdict: 'refused', rcode: 'REFUSED' },
    ],
    [
      'that closes the TCP connection',
      ({ wire, via }) => (via === 'udp' ? [truncated(wire)] : 'close'),
      { verdict: 'malformed' },
    ],
  ]
  test.each(cases)('%s', async (_what, script, verdict) => {
    const { server } = await dns(script)
    const { ask } = asker([server], { timeoutMs: verdict.verdict === 'timeout' ? 200 : PATIENCE_MS })
    expect((await ask(RECORD)).results).toMatchObject([verdict])
  })

  test('that is not there', async () => {
    const gone = await startScriptedDnsServer(() => [])
    await gone.stop()
    const report = await asker([gone.server, `tcp://${gone.server}`]).ask(RECORD)
    expect(report.results).toMatchObject([{ verdict: 'unreachable' }, { verdict: 'unreachable' }])
    expect(report.decision).toBe('waiting')
  })
})

describe('a resolver over HTTPS', () => {
  const cases: [what: string, reply: (query: Uint8Array) => DohReply, verdict: Expected][] = [
    ['that is silent', () => 'silence', { verdict: 'timeout' }],
    ['that breaks off', () => 'break-off', { verdict: 'unreachable' }],
    [
      'with an error of HTTP',
      (query) => ({ status: 429, body: seeing(query) }),
      { verdict: 'malformed', detail: expect.stringContaining('HTTP 429') },
    ],
    [
      'with a page',
      () => ({ type: 'text/html', body: new TextEncoder().encode('<html>') }),
      { verdict: 'malformed', detail: expect.stringContaining('text/html') },
    ],
    ['without a message', () => ({ body: new Uint8Array(3) }), { verdict: 'malformed' }],
    [
      'with too much',
      () => ({ body: new Uint8Array(70_000) }),
      { verdict: 'malformed', detail: expect.stringContaining('more than 65535 bytes') },
    ],
    [
      'that answers to something else',
      (query) => ({
        body: seeing(query, () => ({ question: [{ name: 'x.', type: TYPE.TXT, class: CLASS.IN }] })),
      }),
      { verdict: 'malformed', detail: expect.stringContaining('not to our question') },
    ],
    ['that sends our query back', (query) => ({ body: query }), { verdict: 'malformed' }],
    [
      'that leaves the question out of a denial',
      (query) => ({ body: seeing(query, () => ({ rcode: RCODE.NXDOMAIN, question: [], answer: [] })) }),
      { verdict: 'malformed' },
    ],
    [
      'that could not read the question',
      (query) => ({ body: seeing(query, () => ({ rcode: RCODE.FORMERR, question: [], answer: [] })) }),
      { verdict: 'refused', rcode: 'FORMERR' },
    ],
  ]
  test.each(cases)('%s', async (_what, reply, verdict) => {
    const server = await doh(reply)
    const { ask } = asker([server.url], { timeoutMs: verdict.verdict === 'timeout' ? 200 : PATIENCE_MS })
    expect((await ask(RECORD)).results).toMatchObject([verdict])
  })

  test('keeps one connection, and gets another when that has ended', async () => {
    const server = await doh((query) => ({ body: seeing(query) }))
    const { ask } = asker([server.url])
    await ask(RECORD)
    await ask(RECORD)
    expect(server.connections()).toBe(1)
    server.hangUp()
    await expect.poll(async () => (await ask(RECORD)).decision).toBe('confirmed')
    expect(server.connections()).toBe(2)
  })

  test('is believed only with a certificate that is vouched for', async () => {
    const { key, cert } = makeSelfSigned()
    const server = await doh((query) => ({ body: seeing(query) }), { key, cert })
    const [stranger] = (await asker([server.url]).ask(RECORD)).results
    expect(stranger).toMatchObject({ verdict: 'unreachable', detail: expect.stringMatching(/self-signed/) })
    expect(server.requests).toEqual([])
    expect((await asker([server.url], { ca: cert }).ask(RECORD)).decision).toBe('confirmed')
  })

  test('that is not there', async () => {
    const gone = await startDohServer(() => 'silence')
    await gone.stop()
    const [result] = (await asker([gone.url]).ask(RECORD)).results
    expect(result).toMatchObject({ verdict: 'unreachable', detail: expect.stringContaining('ECONNREFUSED') })
  })
})

describe('a resolver that fails again and again', () => {
  test('is left alone, tried again after a while, and back when it works', async () => {
    let works = false
    const server = await dns(({ wire }) => [
      works ? seeing(wire) : seeing(wire, () => ({ rcode: RCODE.REFUSED, answer: [] })),
    ])
    const { ask } = asker([server.server], { failuresToBreak: 2, firstBreakMs: 20 })
    const verdict = async () => (await ask(RECORD)).results[0]!.verdict
    expect([await verdict(), await verdict(), await verdict()]).toEqual(['refused', 'refused', 'left-alone'])
    expect(server.requests).toHaveLength(2)
    works = true
    await expect.poll(verdict).toBe('seen')
    expect(server.requests).toHaveLength(3)
  })

  test('with SERVFAIL is asked on: our own zone may be at fault', async () => {
    const server = await dns(({ wire }) => [seeing(wire, () => ({ rcode: RCODE.SERVFAIL, answer: [] }))])
    const { ask } = asker([server.server], { failuresToBreak: 1, firstBreakMs: 60_000 })
    for (let time = 0; time < 3; time++) expect((await ask(RECORD)).results[0]!.verdict).toBe('servfail')
  })
})

function cutOff(wire: Uint8Array): Uint8Array {
  return wire.subarray(0, wire.length - 5)
}
