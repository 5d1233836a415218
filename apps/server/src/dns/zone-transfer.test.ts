import { CLASS, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage, NO_FLAGS, type ResourceRecord } from '@holdfast/protocols/dns/message'
import { nameToWire } from '@holdfast/protocols/dns/names'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Secret } from '../platform/secret.ts'
import { parseServerAddress } from './server-address.ts'
import { type Script, type ScriptedDnsServer, startScriptedDnsServer } from './testing/scripted-dns-server.ts'
import { respond } from './testing/scripted-zone-server.ts'
import { signResponse, signStream } from './testing/tsig-responder.ts'
import { transferZone } from './zone-transfer.ts'

const SECRET = new Uint8Array(32).fill(7)
const OTHER_SECRET = new Uint8Array(32).fill(8)
const DOMAIN = 'shop.test'

let server: ScriptedDnsServer
beforeEach(async () => {
  server = await startScriptedDnsServer(() => 'close')
})
afterEach(() => server.stop())

const record = (name: string, type: number, rdata: Uint8Array): ResourceRecord => ({
  name,
  type,
  class: CLASS.IN,
  ttl: 60,
  rdata,
})
const SOA = record(
  'shop.test.',
  TYPE.SOA,
  new Uint8Array([...nameToWire('ns.shop.test.'), ...nameToWire('a.shop.test.'), ...new Uint8Array(20)]),
)
const txt = (user: string) => record(`${user}.shop.test.`, TYPE.TXT, new Uint8Array([1, 0x78]))

/** A whole zone in messages of these records. */
const messagesOf = (request: Uint8Array, ...parts: ResourceRecord[][]) =>
  parts.map((answer) =>
    encodeMessage({
      ...decodeMessage(request),
      flags: { ...NO_FLAGS, response: true, authoritative: true },
      answer,
      additional: [],
    }),
  )
const refused = (request: Uint8Array, rcode: number) => respond(decodeMessage(request), rcode)

async function list(script: Script, timeoutMs = 2_000): Promise<string[]> {
  server.follow(script)
  const key = { name: 'holdfast', algorithm: 'hmac-sha256', secret: new Secret(SECRET) } as const
  const names: string[] = []
  const options = { server: parseServerAddress(server.server), key, now: Date.now, timeoutMs }
  for await (const { name } of transferZone(DOMAIN, options)) names.push(name)
  return names
}

test.each([true, false])(
  'a zone in one message or in many, of which few are signed (dribbled: %s)',
  async (dribble) => {
    server.dribble = dribble
    const whole: Script = ({ wire }) => signStream(messagesOf(wire, [SOA, txt('a'), SOA]), wire, SECRET)
    expect(await list(whole)).toEqual(['a.shop.test.'])
    server.dribble = false
    const users = Array.from({ length: 90 }, (_, i) => `u${i}`)
    const many: Script = ({ wire }) =>
      signStream(
        messagesOf(wire, [SOA], ...users.map((user) => [txt(user)]), [SOA]),
        wire,
        SECRET,
        () => false,
      )
    expect(await list(many)).toEqual(users.map((user) => `${user}.shop.test.`))
  },
)

const cases: [what: string, script: Script, code: string, message: RegExp][] = [
  ['refuses', ({ wire }) => [refused(wire, RCODE.REFUSED)], 'not-authorized', /REFUSED: allow zone transfer/],
  ['does not hold the zone', ({ wire }) => [refused(wire, RCODE.NOTAUTH)], 'not-authorized', /NOTAUTH/],
  [
    'refuses with a signature',
    ({ wire }) => [signResponse(refused(wire, RCODE.REFUSED), wire, SECRET)],
    'not-authorized',
    /REFUSED/,
  ],
  ['fails', ({ wire }) => [refused(wire, RCODE.SERVFAIL)], 'unavailable', /SERVFAIL/],
  ['does not sign', ({ wire }) => messagesOf(wire, [SOA, txt('a'), SOA]), 'unavailable', /no TSIG/],
  [
    'has another secret',
    ({ wire }) => signStream(messagesOf(wire, [SOA, txt('a'), SOA]), wire, OTHER_SECRET),
    'unavailable',
    /MAC/,
  ],
  [
    'does not know the key',
    ({ wire }) => [
      signResponse(refused(wire, RCODE.NOTAUTH), wire, SECRET, { error: 17, mac: new Uint8Array(0) }),
    ],
    'not-authorized',
    /does not know the key/,
  ],
  [
    'sends the end of another stream',
    ({ wire }) => {
      const [first] = signStream(messagesOf(wire, [SOA, txt('a')], [SOA]), wire, SECRET)
      const [, last] = signStream(messagesOf(wire, [SOA, txt('b')], [SOA]), wire, OTHER_SECRET)
      return [first!, last!]
    },
    'unavailable',
    /MAC/,
  ],
  [
    'leaves a hundred messages unsigned',
    ({ wire }) => {
      const parts = Array.from({ length: 101 }, (_, i) => [txt(`u${i}`)])
      return signStream(messagesOf(wire, [SOA], ...parts, [SOA]), wire, SECRET, () => false)
    },
    'unavailable',
    /unsigned/,
  ],
  [
    'stops in the middle',
    ({ wire }) => signStream(messagesOf(wire, [SOA, txt('a')]), wire, SECRET),
    'unavailable',
    /silent/,
  ],
  ['closes the connection', () => 'close', 'unavailable', /closed/],
  [
    'begins without the SOA',
    ({ wire }) => signStream(messagesOf(wire, [txt('a'), SOA]), wire, SECRET),
    'unavailable',
    /outside/,
  ],
  ['answers what is no message', () => [new Uint8Array(5)], 'unavailable', /cannot be listed/],
]

test.each(cases)('a server that %s is told apart', async (_, script, code, message) => {
  await expect(list(script, 300)).rejects.toMatchObject({
    name: 'DnsZoneError',
    code,
    message: expect.stringMatching(message),
  })
})

test('a server that is not there is unavailable', async () => {
  const key = { name: 'holdfast', algorithm: 'hmac-sha256', secret: new Secret(SECRET) } as const
  const options = { server: parseServerAddress('127.0.0.1:1'), key, now: Date.now, timeoutMs: 1_000 }
  await expect(transferZone(DOMAIN, options).next()).rejects.toMatchObject({ code: 'unavailable' })
})
