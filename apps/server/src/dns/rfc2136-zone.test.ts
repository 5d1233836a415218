import { DnsZoneError, type DnsZoneErrorCode } from '@holdfast/core/dns-zone'
import { RCODE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { splitTsig } from '@holdfast/protocols/dns/tsig'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Secret } from '../platform/secret.ts'
import { DnsUnavailableError } from './dns-transport.ts'
import { describeDnsZone } from './dns-zone.contract.ts'
import { makeRfc2136Zone, meaningOf, type Rfc2136ZoneOptions, unprovenCode } from './rfc2136-zone.ts'
import {
  type Fault,
  respond,
  type ScriptedZoneServer,
  startScriptedZoneServer,
} from './testing/scripted-zone-server.ts'
import { signResponse, type TsigResponse } from './testing/tsig-responder.ts'
import type { TsigFailure } from './tsig.ts'

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i)
const NAME = 'alice.user._bitcoin-payment.shop.test'
const RECORD = { name: NAME, value: 'bitcoin:?lno=lno1abc', ttlSeconds: 60 }

let server: ScriptedZoneServer

function zoneOf({ server: address }: ScriptedZoneServer, options: Partial<Rfc2136ZoneOptions> = {}) {
  return makeRfc2136Zone({
    domain: 'shop.test',
    primary: address,
    key: { name: 'holdfast', algorithm: 'hmac-sha256', secret: new Secret(SECRET) },
    authoritativeServers: async () => [address],
    now: Date.now,
    timeoutMs: 400,
    ...options,
  })
}

describeDnsZone('a zone changed by RFC 2136 on a scripted server', async () => {
  const own = await startScriptedZoneServer('shop.test', SECRET)
  return { zone: zoneOf(own, { timeoutMs: 5_000 }), signed: false, stop: () => own.stop() }
})

beforeEach(async () => {
  server = await startScriptedZoneServer('shop.test', SECRET)
})

afterEach(() => server.stop())

const answered = (rcode: number, lie?: TsigResponse): Fault => {
  return (_honest, wire) => [signResponse(respond(decodeMessage(wire), rcode), wire, SECRET, lie)]
}
const unsigned = (rcode: number): Fault => {
  return (_honest, wire) => [respond(decodeMessage(wire), rcode)]
}
const silence: Fault = () => []

/** The outcome is unknown to us, although the server has done as asked. */
const LOST: [what: string, fault: Fault][] = [
  ['no answer', silence],
  ['a closed connection', () => 'close'],
  ['SERVFAIL', answered(RCODE.SERVFAIL)],
  ['an unsigned SERVFAIL', unsigned(RCODE.SERVFAIL)],
  ['an unsigned NOERROR', unsigned(RCODE.NOERROR)],
  ['an unsigned YXDOMAIN', unsigned(RCODE.YXDOMAIN)],
  ['a wrong MAC', answered(RCODE.NOERROR, { mac: new Uint8Array(32) })],
  ['an answer to something else', (honest) => [flip(honest, 0)]],
  ['bytes that are no DNS message', (honest) => [honest.slice(0, -1)]],
]

describe('a change that was made and then answered by', () => {
  for (const [what, fault] of LOST) {
    test(`${what} is found to be made by asking again`, async () => {
      const zone = zoneOf(server)
      server.failNext(fault)
      await zone.publish(RECORD)
      expect(server.records.size).toBe(1)
      server.failNext(fault)
      await zone.withdraw(RECORD)
      expect(server.records.size).toBe(0)
    })

    test(`${what} again and again is unavailable, and a later call settles it`, async () => {
      const zone = zoneOf(server)
      for (let i = 0; i < 2; i++) server.failNext(fault)
      expect(await codeOf(zone.publish(RECORD))).toBe('unavailable')
      await zone.publish(RECORD)
      expect(server.records.size).toBe(1)
    })

    test(`${what} does not hide that another value is there`, async () => {
      const zone = zoneOf(server)
      await zone.publish({ ...RECORD, value: 'other' })
      server.failNext(fault)
      expect(await codeOf(zone.publish(RECORD))).toBe('conflict')
    })
  }
})

describe('a server that', () => {
  const none = new Uint8Array(0)
  const refusals: [what: string, fault: Fault, code: DnsZoneErrorCode, message: RegExp][] = [
    [
      'does not know our key',
      answered(9, { error: 17, mac: none }),
      'not-authorized',
      /does not know the key/,
    ],
    ['has another secret', answered(9, { error: 16, mac: none }), 'not-authorized', /another secret/],
    ['has another clock', answered(9, { error: 18 }), 'not-authorized', /clock/],
    ['answers as of an hour ago', answered(0, { timeSigned: 1_000 }), 'not-authorized', /signed .* ago/],
    ['refuses this key', answered(RCODE.REFUSED), 'not-authorized', /REFUSED/],
    ['refuses without a signature', unsigned(RCODE.REFUSED), 'not-authorized', /REFUSED.*no TSIG/],
    ['takes no updates', unsigned(RCODE.NOTIMP), 'not-authorized', /NOTIMP/],
    ['holds another zone', answered(RCODE.NOTAUTH), 'not-this-zone', /NOTAUTH/],
    [
      'holds another zone and does not sign that',
      unsigned(RCODE.NOTAUTH),
      'not-this-zone',
      /NOTAUTH.*no TSIG/,
    ],
  ]
  for (const [what, fault, code, message] of refusals) {
    test(`${what} is ${code}, and is not asked again`, async () => {
      server.failNext(fault)
      const error = await zoneOf(server)
        .publish(RECORD)
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
      expect(server.requests).toHaveLength(1)
    })
  }

  test('is not there is unavailable', async () => {
    const gone = await startScriptedZoneServer('shop.test', SECRET)
    await gone.stop()
    expect(await codeOf(zoneOf(gone).withdraw(RECORD))).toBe('unavailable')
  })
})

describe('what an rcode means', () => {
  const table: [
    rcode: number,
    signed: ReturnType<typeof meaningOf>,
    unsigned: ReturnType<typeof unprovenCode>,
  ][] = [
    [RCODE.NOERROR, 'done', 'unavailable'],
    [RCODE.FORMERR, 'not-authorized', 'not-authorized'],
    [RCODE.SERVFAIL, 'unavailable', 'unavailable'],
    [RCODE.NXDOMAIN, 'prerequisite-failed', 'unavailable'],
    [RCODE.NOTIMP, 'not-authorized', 'not-authorized'],
    [RCODE.REFUSED, 'not-authorized', 'not-authorized'],
    [RCODE.YXDOMAIN, 'prerequisite-failed', 'unavailable'],
    [RCODE.YXRRSET, 'prerequisite-failed', 'unavailable'],
    [RCODE.NXRRSET, 'prerequisite-failed', 'unavailable'],
    [RCODE.NOTAUTH, 'not-this-zone', 'not-this-zone'],
    [RCODE.NOTZONE, 'not-this-zone', 'not-this-zone'],
    [15, 'unavailable', 'unavailable'],
  ]
  for (const [rcode, signed, unsigned] of table) {
    test(`${rcode}: signed ${signed}, unsigned ${unsigned}`, () => {
      expect([meaningOf(rcode), unprovenCode('unsigned', rcode)]).toEqual([signed, unsigned])
    })
  }

  test('a wrong MAC never means anything, a TSIG error always calls for a person', () => {
    const failures: TsigFailure[] = ['BADKEY', 'BADSIG', 'BADTIME', 'stale', 'other']
    for (const [rcode] of table) {
      expect(unprovenCode('bad-mac', rcode)).toBe('unavailable')
      for (const failure of failures) expect(unprovenCode(failure, rcode)).toBe('not-authorized')
    }
  })
})

test('the secret is never sent', async () => {
  await zoneOf(server).publish(RECORD)
  const sent = server.requests.map(({ wire }) => Buffer.from(wire))
  expect(sent.some((wire) => wire.includes(Buffer.from(SECRET)))).toBe(false)
  expect(splitTsig(server.requests[0]!.wire)?.tsig.mac).toHaveLength(32)
})

describe('an authoritative server', () => {
  test('that cannot be found is a matter of the DNS, not of the record', async () => {
    const down = async () => Promise.reject(new DnsUnavailableError('shop.test NS', ['no answer']))
    expect(await codeOf(zoneOf(server, { authoritativeServers: down }).authoritative(NAME))).toBe(
      'unavailable',
    )
    const broken = async () => Promise.reject(new Error('a fault'))
    await expect(zoneOf(server, { authoritativeServers: broken }).authoritative(NAME)).rejects.toThrow(
      'a fault',
    )
  })

  test('that fails is reported beside those that answer', async () => {
    const silent = await startScriptedZoneServer('shop.test', SECRET)
    silent.follow(() => [])
    const zone = zoneOf(server, { authoritativeServers: async () => [server.server, silent.server] })
    await zone.publish(RECORD)
    expect(await zone.authoritative(NAME)).toEqual([
      { server: server.server, values: [RECORD.value], signed: false },
      { server: silent.server, failure: expect.stringMatching(/no answer/) },
    ])
    await silent.stop()
  })

  const lame: [what: string, change: (wire: Uint8Array) => Uint8Array, failure: RegExp][] = [
    ['is not authoritative', (wire) => flip(wire, 2, 0x04), /not authoritative/],
    ['refuses', (wire) => flip(wire, 3, 0x05), /REFUSED/],
    ['sends no DNS message', (wire) => flip(wire, 7, 0xff), /bytes/],
  ]
  for (const [what, change, failure] of lame) {
    test(`that ${what} has failed; it has not denied the record`, async () => {
      const honest = await startScriptedZoneServer('shop.test', SECRET)
      const zone = zoneOf(honest)
      server.follow(({ wire }) => [change(emptyAnswer(wire))])
      const asking = zoneOf(server).authoritative(NAME)
      expect(await asking).toEqual([{ server: server.server, failure: expect.stringMatching(failure) }])
      expect(await zone.authoritative(NAME)).toEqual([{ server: honest.server, values: [], signed: false }])
      await honest.stop()
    })
  }
})

/** NOERROR with AA and no records, with the question repeated. */
function emptyAnswer(query: Uint8Array): Uint8Array {
  const answer = query.slice()
  answer[2] = 0x84
  answer[3] = 0
  return answer
}

function flip(wire: Uint8Array, at: number, bits = 1): Uint8Array {
  const changed = wire.slice()
  changed[at]! ^= bits
  return changed
}

async function codeOf(change: Promise<unknown>): Promise<string | null> {
  try {
    await change
    return null
  } catch (error) {
    if (error instanceof DnsZoneError) return error.code
    throw error
  }
}
