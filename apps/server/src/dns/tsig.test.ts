import { DnsWireError } from '@holdfast/protocols/dns/wire-error'
import { describe, expect, test } from 'vitest'
import { Secret } from '../platform/secret.ts'
import { signResponse, type TsigResponse } from './testing/tsig-responder.ts'
import { signRequest, type TsigFailure, type TsigKey, verifyResponse } from './tsig.ts'

const SECRET = Uint8Array.from({ length: 32 }, (_, i) => i)
const KEY: TsigKey = { name: 'holdfast', algorithm: 'hmac-sha256', secret: new Secret(SECRET) }
const NOW_MS = 1_700_000_000_000
/** An UPDATE of the zone shop.test with id 0x1234, and the answer NOERROR to it. */
const MESSAGE = hex('1234280000010000000000000473686f7004746573740000060001')
const ANSWER = hex('1234a80000010000000000000473686f7004746573740000060001')

/** Computed with Python's `hmac` from RFC 8945 §4.3, not with this code. The answers were signed a second later. */
const VECTORS: { algorithm: TsigKey['algorithm']; mac: string; request: string; response: string }[] = [
  {
    algorithm: 'hmac-sha256',
    mac: '88aa240544336916594ba040332155346b11ebe16e324614723c88b2c1f0af48',
    request:
      '1234280000010000000000010473686f700474657374000006000108686f6c64666173740000fa00ff00000000003d0b686d61632d7368613235360000006553f100012c002088aa240544336916594ba040332155346b11ebe16e324614723c88b2c1f0af48123400000000',
    response:
      '1234a80000010000000000010473686f700474657374000006000108686f6c64666173740000fa00ff00000000003d0b686d61632d7368613235360000006553f101012c0020c0efb3077cba4dc3fd18a642e0d8f4f438526930f5254276039f352abf0e5828123400000000',
  },
  {
    algorithm: 'hmac-sha384',
    mac: '4bbc808e47794b3a29812abcb33576d8cef3f150f8d26c88890e159f757e085d01bbc8f78f3f2d3de9f3242ab2384ad1',
    request:
      '1234280000010000000000010473686f700474657374000006000108686f6c64666173740000fa00ff00000000004d0b686d61632d7368613338340000006553f100012c00304bbc808e47794b3a29812abcb33576d8cef3f150f8d26c88890e159f757e085d01bbc8f78f3f2d3de9f3242ab2384ad1123400000000',
    response:
      '1234a80000010000000000010473686f700474657374000006000108686f6c64666173740000fa00ff00000000004d0b686d61632d7368613338340000006553f101012c00306f5f2e4f71f2d9c631cb6b1f172dc51dd2537d65d2cc6421014cc1e2682511c294885f22f70389026bde5c0de4bcf067123400000000',
  },
  {
    algorithm: 'hmac-sha512',
    mac: 'ccd787e1c9b0282f6a9e4460d182200a24c192f540a2316287261acbb85f91a9acd18c9b5f693449cf3a380cbabe3ab270bff47af5cd831efe09bf004901d1ce',
    request:
      '1234280000010000000000010473686f700474657374000006000108686f6c64666173740000fa00ff00000000005d0b686d61632d7368613531320000006553f100012c0040ccd787e1c9b0282f6a9e4460d182200a24c192f540a2316287261acbb85f91a9acd18c9b5f693449cf3a380cbabe3ab270bff47af5cd831efe09bf004901d1ce123400000000',
    response:
      '1234a80000010000000000010473686f700474657374000006000108686f6c64666173740000fa00ff00000000005d0b686d61632d7368613531320000006553f101012c0040b9d1b735adee76129f6865f154cc284df80ab9b9422d6745700a8e61a2bd7c295fda067e2179aa1b9701100bf486f62d73308646080b919d6eb68e3d795f5712123400000000',
  },
]

describe('a vector computed elsewhere', () => {
  for (const { algorithm, mac, request, response } of VECTORS) {
    const key = { ...KEY, algorithm }
    test(`${algorithm}: the request is signed to the same bytes`, () => {
      const signed = signRequest(MESSAGE, key, NOW_MS)
      expect(Buffer.from(signed.mac).toString('hex')).toBe(mac)
      expect(Buffer.from(signed.wire).toString('hex')).toBe(request)
    })

    test(`${algorithm}: the answer is accepted, with any letter case in the key's name`, () => {
      const signed = signRequest(MESSAGE, key, NOW_MS)
      expect(verifyResponse(hex(response), signed, key, NOW_MS)).toEqual({ ok: true })
      expect(verifyResponse(hex(response), signed, { ...key, name: 'HoldFast.' }, NOW_MS)).toEqual({
        ok: true,
      })
    })

    test(`${algorithm}: the answer is refused when any one bit of it is changed`, () => {
      const signed = signRequest(MESSAGE, key, NOW_MS)
      const good = hex(response)
      for (let bit = 0; bit < good.length * 8; bit++) {
        const bad = good.slice()
        bad[bit >> 3]! ^= 1 << (bit & 7)
        expect(isAccepted(bad, signed, key), `bit ${bit}`).toBe(isUncovered(bit, good))
      }
    })
  }
})

describe('an answer to another request', () => {
  test('is refused, although it is signed with the same key', () => {
    const [first, second] = [signRequest(MESSAGE, KEY, NOW_MS), signRequest(MESSAGE, KEY, NOW_MS + 1000)]
    const answer = signResponse(ANSWER, first.wire, SECRET)
    expect(verifyResponse(answer, first, KEY, NOW_MS)).toEqual({ ok: true })
    expect(verifyResponse(answer, second, KEY, NOW_MS)).toMatchObject({ failure: 'bad-mac' })
  })
})

describe('the errors of RFC 8945 are told apart', () => {
  const none = new Uint8Array(0)
  const seconds = NOW_MS / 1000
  const serverTime = Buffer.alloc(6)
  serverTime.writeUIntBE(seconds + 1000, 0, 6)
  const cases: [what: string, answer: TsigResponse | null, failure: TsigFailure, detail: RegExp][] = [
    ['no TSIG', null, 'unsigned', /no TSIG/],
    ['another key', { keyName: 'other.' }, 'unsigned', /key other/],
    ['BADSIG', { error: 16, mac: none }, 'BADSIG', /another secret/],
    ['BADKEY', { error: 17, mac: none }, 'BADKEY', /does not know/],
    ['BADTIME without a MAC', { error: 18, mac: none }, 'bad-mac', /MAC/],
    ['BADTIME', { error: 18, otherData: serverTime }, 'BADTIME', /by 1000 s/],
    ['BADTIME without the time', { error: 18 }, 'BADTIME', /clock/],
    ['BADTRUNC', { error: 22 }, 'other', /22/],
    ['a MAC cut to half', { mac: new Uint8Array(16) }, 'bad-mac', /MAC/],
    ['a MAC of zeros', { mac: new Uint8Array(32) }, 'bad-mac', /MAC/],
    ['signed too long ago', { timeSigned: seconds - 301 }, 'stale', /301 s ago/],
    ['signed in the future', { timeSigned: seconds + 301 }, 'stale', /-301 s ago/],
  ]
  for (const [what, answer, failure, detail] of cases) {
    test(`${what} is ${failure}`, () => {
      const signed = signRequest(MESSAGE, KEY, NOW_MS)
      const wire = answer ? signResponse(ANSWER, signed.wire, SECRET, answer) : ANSWER
      const verdict = verifyResponse(wire, signed, KEY, NOW_MS)
      expect(verdict).toEqual({ ok: false, failure, detail: expect.stringMatching(detail) })
    })
  }
})

function isAccepted(wire: Uint8Array, signed: ReturnType<typeof signRequest>, key: TsigKey): boolean {
  try {
    return verifyResponse(wire, signed, key, NOW_MS).ok
  } catch (error) {
    if (error instanceof DnsWireError) return false
    throw error
  }
}

/**
 * What the MAC does not cover: the id in the header (the exchange compares it), letter case in the two names, and the
 * highest bit of the TTL, which counts as zero (RFC 2181 §8).
 */
function isUncovered(bit: number, wire: Uint8Array): boolean {
  const byte = bit >> 3
  const ttlAt = MESSAGE.length + '\x08holdfast\0'.length + 4
  if (byte < 2 || bit === ttlAt * 8 + 7) return true
  const text = Buffer.from(wire).toString('latin1')
  const isCase = (bit & 7) === 5 && /[a-z]/.test(text[byte]!)
  return (
    isCase &&
    ['holdfast', 'hmac-sha'].some((name) => byte >= text.indexOf(name) && byte < text.indexOf(name) + 8)
  )
}

function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
