import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { CLASS, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, type Message } from '@holdfast/protocols/dns/message'
import { encodeTxt } from '@holdfast/protocols/dns/rdata'
import { afterEach, describe, expect, test } from 'vitest'
import { type DnsQueryOptions, DnsUnavailableError, makeQuery } from './dns-transport.ts'
import { type Script, type ScriptedDnsServer, startScriptedDnsServer } from './testing/scripted-dns-server.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test.'
const started: ScriptedDnsServer[] = []

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()))
})

async function start(script: Script): Promise<ScriptedDnsServer> {
  const server = await startScriptedDnsServer(script)
  started.push(server)
  return server
}

function query(servers: readonly ScriptedDnsServer[], options: Partial<DnsQueryOptions> = {}) {
  return makeQuery({ servers: servers.map(({ server }) => server), timeoutMs: 150, ...options })
}

/** The honest answer to a query: one TXT, with `changes` made to it. */
function reply(wire: Uint8Array, changes: Partial<Message> = {}): Uint8Array {
  const asked = decodeMessage(wire)
  return encodeMessage({
    ...asked,
    flags: { ...asked.flags, response: true },
    answer: [txt('true')],
    ...changes,
  })
}

function txt(value: string) {
  const rdata = encodeTxt([new TextEncoder().encode(value)])
  return { name: NAME, type: TYPE.TXT, class: CLASS.IN, ttl: 60, rdata }
}

function flagsOf(wire: Uint8Array) {
  return { ...decodeMessage(wire).flags, response: true }
}

function values(wire: Uint8Array): string[] {
  return decodeMessage(wire).answer.map(({ rdata }) => Buffer.from(rdata.subarray(1)).toString())
}

const honest: Script = ({ wire }) => [reply(wire)]
const silent: Script = () => []
const failing: Script = ({ wire }) => [reply(wire, { rcode: RCODE.SERVFAIL, answer: [] })]

describe('the question', () => {
  test('asks for signatures, without checking by the resolver, under a random id from a random port', async () => {
    const server = await start(honest)
    const ask = query([server])
    for (let i = 0; i < 8; i++) await ask(NAME, TYPE.TXT)
    const asked = server.requests.map(({ wire }) => decodeMessage(wire))
    expect(asked[0]).toMatchObject({
      flags: { recursionDesired: true, checkingDisabled: true, authenticData: false },
      question: [{ name: NAME, type: TYPE.TXT, class: CLASS.IN }],
      edns: { dnssecOk: true, udpPayloadSize: 1232 },
    })
    expect(new Set(asked.map(({ id }) => id)).size).toBeGreaterThan(6)
  })
})

describe('the answer', () => {
  test('may be a denial', async () => {
    const server = await start(({ wire }) => [reply(wire, { rcode: RCODE.NXDOMAIN, answer: [] })])
    expect(decodeMessage(await query([server])(NAME, TYPE.TXT)).rcode).toBe(RCODE.NXDOMAIN)
  })

  test('may spell the name in other letter case', async () => {
    const server = await start(({ wire }) => {
      const question = [{ name: NAME.toUpperCase(), type: TYPE.TXT, class: CLASS.IN }]
      return [reply(wire, { question })]
    })
    expect(values(await query([server])(NAME, TYPE.TXT))).toEqual(['true'])
  })

  const forgeries: [what: string, forge: (wire: Uint8Array) => Uint8Array][] = [
    ['another id', (wire) => reply(wire, { id: decodeMessage(wire).id ^ 1, answer: [txt('forged')] })],
    ['another name', (wire) => reply(wire, { question: [{ name: 'x.test.', type: TYPE.TXT, class: 1 }] })],
    ['another type', (wire) => reply(wire, { question: [{ name: NAME, type: TYPE.A, class: 1 }] })],
    ['another opcode', (wire) => reply(wire, { opcode: 5, answer: [] })],
    ['two questions', (wire) => reply(wire, { question: [...asked(wire), ...asked(wire)] })],
    ['no question', (wire) => reply(wire, { question: [] })],
    ['a denial without a question', (wire) => reply(wire, { question: [], answer: [], rcode: 3 })],
    ['a question instead of an answer', (wire) => wire],
    ['a header cut short', (wire) => reply(wire).slice(0, 11)],
    ['a question cut short', (wire) => reply(wire).slice(0, 20)],
  ]
  for (const [what, forge] of forgeries) {
    test(`with ${what} is ignored, and the true one awaited`, async () => {
      const server = await start(({ wire }) => [forge(wire), reply(wire)])
      expect(values(await query([server])(NAME, TYPE.TXT))).toEqual(['true'])
      expect(server.requests).toHaveLength(1)
    })
  }

  test('from another port is not heard', async () => {
    const server = await start(silent)
    const asking = query([server], { rounds: 1 })(NAME, TYPE.TXT)
    asking.catch(() => undefined)
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 2))
    await server.forge(reply(server.requests[0]!.wire))
    await expect(asking).rejects.toThrow(/no answer within 150 ms/)
  })

  test('that was cut off is fetched over TCP, however it is split into segments', async () => {
    const long = [txt('x'.repeat(255)), txt('y'.repeat(255))]
    const server = await start(({ wire, via }) => [
      via === 'tcp'
        ? reply(wire, { answer: long })
        : reply(wire, { answer: [], flags: { ...flagsOf(wire), truncated: true } }),
    ])
    server.dribble = true
    expect(values(await query([server], { timeoutMs: 2_000 })(NAME, TYPE.TXT))).toHaveLength(2)
    expect(server.requests.map(({ via }) => via)).toEqual(['udp', 'tcp'])
  })
})

describe('a server that fails', () => {
  const cut = (wire: Uint8Array) => reply(wire, { answer: [], flags: { ...flagsOf(wire), truncated: true } })
  const scripts: [what: string, script: Script, failure: RegExp][] = [
    ['keeps silent', silent, /no answer within 150 ms/],
    ['has a failure of its own', failing, /SERVFAIL/],
    ['refuses', ({ wire }) => [reply(wire, { rcode: RCODE.REFUSED, answer: [] })], /REFUSED/],
    [
      'refuses without repeating the question',
      ({ wire }) => [reply(wire, { rcode: RCODE.FORMERR, question: [], answer: [] })],
      /FORMERR/,
    ],
    ['sends too much', ({ wire }) => [reply(wire, { answer: [txt('x'.repeat(255))] })], /3[0-9]{2} bytes/],
    ['hangs up TCP', ({ wire, via }) => (via === 'tcp' ? 'close' : [cut(wire)]), /closed before/],
    [
      'keeps silent on TCP',
      ({ wire, via }) => (via === 'tcp' ? [] : [cut(wire)]),
      /over TCP: no answer within/,
    ],
    [
      'answers another question on TCP',
      ({ wire, via }) => [via === 'tcp' ? wire : cut(wire)],
      /does not match/,
    ],
    [
      'sends too much on TCP',
      ({ wire, via }) => [via === 'tcp' ? reply(wire, { answer: [txt('x'.repeat(255))] }) : cut(wire)],
      /over TCP: 3[0-9]{2} bytes/,
    ],
  ]
  for (const [what, script, failure] of scripts) {
    test(`and ${what}: the next one is asked, and without one the DNS is down`, async () => {
      const [bad, good] = [await start(script), await start(honest)]
      const limits = { maxResponseBytes: 300, rounds: 1 }
      expect(values(await query([bad, good], limits)(NAME, TYPE.TXT))).toEqual(['true'])
      const down = await query([bad], limits)(NAME, TYPE.TXT).catch((error: unknown) => error)
      expect(down).toBeInstanceOf(DnsUnavailableError)
      expect((down as DnsUnavailableError).failures).toEqual([expect.stringMatching(failure)])
    })
  }

  test('because nobody listens there is told apart from silence', async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    socket.close()
    await once(socket, 'close')
    const ask = makeQuery({ servers: [`127.0.0.1:${port}`], timeoutMs: 1_000, rounds: 1 })
    await expect(ask(NAME, TYPE.TXT)).rejects.toThrow(/ECONNREFUSED/)
  })

  test('once is asked again in the next round', async () => {
    let times = 0
    const server = await start(({ wire }) => (times++ === 0 ? [] : [reply(wire)]))
    expect(values(await query([server])(NAME, TYPE.TXT))).toEqual(['true'])
    expect(server.requests).toHaveLength(2)
  })

  test('again and again is left alone for a while, then tried once more', async () => {
    const server = await start(failing)
    const ask = query([server], { rounds: 1, failuresToBreak: 3, breakMs: 80 })
    for (let i = 0; i < 3; i++) await expect(ask(NAME, TYPE.TXT)).rejects.toThrow(/SERVFAIL/)
    await expect(ask(NAME, TYPE.TXT)).rejects.toThrow(/left alone/)
    expect(server.requests).toHaveLength(3)
    server.follow(honest)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(values(await ask(NAME, TYPE.TXT))).toEqual(['true'])
  })
})

test('a list without servers is a mistake of the caller', () => {
  expect(() => makeQuery({ servers: [], timeoutMs: 1 })).toThrow(TypeError)
})

function asked(wire: Uint8Array) {
  return decodeMessage(wire).question
}
