import { createSocket } from 'node:dgram'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLASS, OPCODE, RCODE, TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, dnssecQuery, encodeMessage, type Message } from '@holdfast/protocols/dns/message'
import { decodeSoa } from '@holdfast/protocols/dns/rdata'
import { parseTrustAnchors, resolveTxt } from '@holdfast/protocols/dnssec'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askOverTcp } from './ask-over-tcp.ts'
import { type SignedDns, startSignedDns } from './signed-dns.ts'
import { takeFramed, withLength } from './tcp-framing.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test'
const VALUE = `bitcoin:?lno=lno1${'q'.repeat(600)}`
const record = { name: NAME, value: VALUE, ttlSeconds: 120 }
const DAY_MS = 86_400_000

let folder: string
let dns: SignedDns
let clockMs: number

const start = () => startSignedDns({ folder, zones: ['shop.test'], now: () => clockMs })
const shop = () => dns.zone('shop.test')

beforeEach(async () => {
  clockMs = Date.now()
  folder = mkdtempSync(join(tmpdir(), 'holdfast-dns-'))
  dns = await start()
})

afterEach(async () => {
  await dns.stop()
  rmSync(folder, { recursive: true })
})

async function resolve(name = NAME) {
  const result = await resolveTxt(name, {
    query: (asked, type) => askOverTcp(dns, asked, type),
    anchors: dns.anchors,
    nowSeconds: Math.floor(clockMs / 1000),
  })
  if (result.status === 'secure') return result.values.map((value) => new TextDecoder().decode(value))
  return result.status === 'bogus' ? result.code : result.status
}

async function ask(name: string, type: number): Promise<Message> {
  return decodeMessage(await askOverTcp(dns, name, type))
}

function sendUdp(bytes: Uint8Array, waitMs = 2000): Promise<Uint8Array | null> {
  const socket = createSocket('udp4')
  return new Promise((resolveAnswer) => {
    const end = (answer: Uint8Array | null) => {
      clearTimeout(timer)
      socket.close()
      resolveAnswer(answer)
    }
    const timer = setTimeout(() => end(null), waitMs)
    socket.once('message', (message) => end(Uint8Array.from(message)))
    socket.send(bytes, dns.port, dns.host)
  })
}

async function askUdp(query: Message): Promise<Message> {
  return decodeMessage((await sendUdp(encodeMessage(query))) ?? new Uint8Array())
}

describe('a signed zone', () => {
  test('a published name validates from the root, a withdrawn one is proven not to exist', async () => {
    expect(await resolve()).toBe('nxdomain')
    await shop().publish(record)
    expect(await resolve()).toEqual([VALUE])
    expect(await shop().authoritative(NAME)).toEqual([{ server: dns.address, values: [VALUE], signed: true }])
    await shop().withdraw(record)
    expect(await resolve()).toBe('nxdomain')
    expect(await shop().authoritative(NAME)).toEqual([{ server: dns.address, values: [], signed: true }])
  })

  test('publishing and withdrawing twice is doing it once; another value is a conflict', async () => {
    await shop().publish(record)
    await shop().publish({ ...record, name: NAME.toUpperCase() })
    await expect(shop().publish({ ...record, value: 'bitcoin:?lno=other' })).rejects.toMatchObject({
      code: 'conflict',
    })
    await shop().publish({ ...record, ttlSeconds: 60 })
    expect((await ask(NAME, TYPE.TXT)).answer[0]?.ttl).toBe(60)
    await shop().withdraw(record)
    await shop().withdraw(record)
    expect(await resolve()).toBe('nxdomain')
  })

  test.each(['alice.other.test', 'shop.test', 'ns.shop.test', 'a..shop.test', 'test'])(
    'nothing is published at %s',
    async (name) => {
      await expect(shop().publish({ ...record, name })).rejects.toMatchObject({ code: 'not-this-zone' })
      await expect(shop().withdraw({ ...record, name })).rejects.toMatchObject({ code: 'not-this-zone' })
    },
  )

  test('a name of a child zone is not the parent’s to publish', async () => {
    await expect(dns.zone('test').publish(record)).rejects.toMatchObject({ code: 'not-this-zone' })
  })

  test('a value that fits no message is refused and changes nothing', async () => {
    await expect(shop().publish({ ...record, value: 'x'.repeat(60_001) })).rejects.toThrow(RangeError)
    expect(await resolve()).toBe('nxdomain')
  })

  test('whoever asks for a name’s NSEC gets it, signed, and no denial that it contradicts', async () => {
    await shop().publish(record)
    for (const name of ['shop.test', NAME]) {
      const { answer, authority } = await ask(name, TYPE.NSEC)
      expect(answer.map(({ type }) => type)).toEqual([TYPE.NSEC, TYPE.RRSIG])
      expect(answer.every((one) => one.name === `${name}.`)).toBe(true)
      expect(authority).toEqual([])
    }
    expect((await ask(`absent.${NAME}`, TYPE.NSEC)).rcode).toBe(RCODE.NXDOMAIN)
    expect((await ask('_bitcoin-payment.shop.test', TYPE.NSEC)).answer).toEqual([])
  })

  test('a zone that is not served is refused', () => {
    expect(() => dns.zone('other.test')).toThrow('not served')
  })

  test('a hundred names published at once are all there, and the serial has risen', async () => {
    const serial = async () => decodeSoa((await ask('shop.test', TYPE.SOA)).answer[0]!.rdata).serial
    const before = await serial()
    const names = Array.from({ length: 100 }, (_, i) => `u${i}.user._bitcoin-payment.shop.test`)
    await Promise.all(names.map((name) => shop().publish({ ...record, name })))
    expect(await serial()).toBeGreaterThan(before)
    for (const name of [names[0]!, names[50]!, names[99]!]) expect(await resolve(name)).toEqual([VALUE])
  })

  test('records, keys and the anchor outlive a restart; keys are the owner’s alone', async () => {
    await shop().publish(record)
    const anchor = readFileSync(dns.anchorFile, 'utf8')
    await dns.stop()
    dns = await start()
    expect(readFileSync(dns.anchorFile, 'utf8')).toBe(anchor)
    expect(parseTrustAnchors(anchor)).toEqual(dns.anchors)
    expect(await resolve()).toEqual([VALUE])
    for (const zone of ['root', 'test', 'shop.test']) {
      expect(statSync(join(folder, `${zone}.key.pem`)).mode & 0o777).toBe(0o600)
    }
  })

  test.each([
    ['json', '{"serial":'],
    ['json', '{"serial":1}'],
    ['log', '{"serial":\n'],
    ['log', '{"serial":1,"set":[]}\n'],
    ['log', '{"serial":7,"set":[],"unset":[]}\n'],
  ])('a damaged zone.%s is named, not overwritten: %j', async (kind, content) => {
    await dns.stop()
    const file = join(folder, `shop.test.zone.${kind}`)
    writeFileSync(file, content)
    await expect(start()).rejects.toThrow(file)
    expect(readFileSync(file, 'utf8')).toBe(content)
    rmSync(file)
    dns = await start()
  })

  test('a last line that a crash cut short was never acknowledged, and is cut off', async () => {
    const [first, second] = ['one', 'two'].map((user) => ({ ...record, name: `${user}.shop.test` }))
    await shop().publish(first!)
    await shop().publish(second!)
    await dns.stop()
    const file = join(folder, 'shop.test.zone.log')
    writeFileSync(file, readFileSync(file).subarray(0, -1))
    dns = await start()
    expect(await Promise.all([resolve(first!.name), resolve(second!.name)])).toEqual([[VALUE], 'nxdomain'])
    await shop().publish(record)
    await dns.stop()
    dns = await start()
    expect(await Promise.all([resolve(first!.name), resolve()])).toEqual([[VALUE], [VALUE]])
  })

  test('a write costs what it changes; a log that outgrew the zone is folded into it', async () => {
    await shop().publish(record)
    const size = (kind: string) => statSync(join(folder, `shop.test.zone.${kind}`)).size
    const before = [size('json'), size('log')]
    await shop().publish({ ...record, ttlSeconds: 60 })
    expect([size('json'), size('log') - before[1]!]).toEqual([before[0], expect.any(Number)])
    expect(size('log') - before[1]!).toBeLessThan(2 * VALUE.length)

    const value = (i: number) => `${i} ${'x'.repeat(30_000)}`
    for (let i = 0; i < 30; i++) {
      await shop().publish({ ...record, value: value(i) }, { replaces: i === 0 ? VALUE : value(i - 1) })
    }
    expect(size('json') + size('log')).toBeLessThan(20 * 30_000)
    await dns.stop()
    dns = await start()
    expect(await resolve()).toEqual([value(29)])
  })

  test('lines that the snapshot holds already are passed over', async () => {
    await shop().publish(record)
    await shop().publish({ ...record, value: 'second' }, { replaces: VALUE })
    await dns.stop()
    const records = [{ name: `${NAME}.`, value: 'second', ttlSeconds: 120 }]
    writeFileSync(join(folder, 'shop.test.zone.json'), JSON.stringify({ serial: 2, records }))
    dns = await start()
    expect(await resolve()).toEqual(['second'])
  })

  test('a write that fails is reported and forgotten', async () => {
    rmSync(folder, { recursive: true })
    await expect(shop().publish(record)).rejects.toMatchObject({ code: 'unavailable' })
    expect(await resolve()).toBe('nxdomain')
    mkdirSync(folder)
    await shop().publish(record)
    expect(await resolve()).toEqual([VALUE])
  })

  test('a second process in the same folder is refused', async () => {
    await expect(start()).rejects.toThrow('in use')
  })

  test('a zone name that is no file name is refused', async () => {
    await expect(startSignedDns({ folder: join(folder, 'x'), zones: ['../evil'] })).rejects.toMatchObject({
      code: 'not-this-zone',
    })
  })

  test('signatures are renewed long before they expire', async () => {
    await shop().publish(record)
    for (let day = 0; day < 40; day += 5) {
      clockMs += 5 * DAY_MS
      expect(await resolve()).toEqual([VALUE])
      clockMs += DAY_MS / 2
    }
  })
})

describe('injected faults', () => {
  test.each([
    ['unsigned', 'signature-missing'],
    ['expired', 'signature-expired'],
    ['wrong-key', 'signature-wrong'],
  ] as const)('a zone that is %s is bogus, and mends', async (fault, code) => {
    await shop().publish(record)
    shop().breakSigning(fault)
    expect(await resolve()).toBe(code)
    const [answer] = await shop().authoritative(NAME)
    expect(answer).toMatchObject({ values: [VALUE], signed: fault !== 'unsigned' })
    shop().mendSigning()
    expect(await resolve()).toEqual([VALUE])
  })

  test('a stopped server is unavailable', async () => {
    const zone = shop()
    await dns.stop()
    expect(await resolve()).toBe('unavailable')
    expect(await zone.authoritative(NAME)).toEqual([{ server: dns.address, failure: expect.any(String) }])
  })
})

describe('the wire', () => {
  test('an answer that does not fit is truncated over UDP and whole over TCP', async () => {
    await shop().publish({ ...record, value: 'x'.repeat(2000) })
    const over = await askUdp(dnssecQuery(7, NAME, TYPE.TXT))
    expect(over).toMatchObject({ id: 7, answer: [], flags: { truncated: true, authoritative: true } })
    expect((await ask(NAME, TYPE.TXT)).answer).toHaveLength(2)
    const { edns: _, ...plain } = dnssecQuery(8, 'shop.test', TYPE.DNSKEY)
    const short = await askUdp(plain)
    expect(short.edns).toBeUndefined()
    expect(short.answer.map(({ type }) => type)).toEqual([TYPE.DNSKEY])
  })

  test.each([
    ['another class', { question: [{ name: 'test.', type: TYPE.TXT, class: 3 }] }, RCODE.REFUSED],
    ['a zone transfer', { question: [{ name: 'test.', type: TYPE.AXFR, class: CLASS.IN }] }, RCODE.REFUSED],
    ['no question', { question: [] }, RCODE.FORMERR],
    ['an UPDATE', { opcode: OPCODE.UPDATE }, RCODE.NOTIMP],
    [
      'a later EDNS version',
      { edns: { udpPayloadSize: 1232, version: 1, dnssecOk: true, options: [] } },
      RCODE.BADVERS,
    ],
  ])('%s is declined', async (_, change, rcode) => {
    const response = await askUdp({ ...dnssecQuery(9, 'test.', TYPE.TXT), ...change })
    expect(response).toMatchObject({ id: 9, rcode, answer: [] })
  })

  test('malformed queries get FORMERR, responses and scraps get nothing', async () => {
    const query = encodeMessage(dnssecQuery(0x0a0b, 'test.', TYPE.TXT))
    expect(await sendUdp(query.slice(0, -1))).toEqual(
      Uint8Array.from([10, 11, 0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    )
    expect(await sendUdp(query.slice(0, 5), 100)).toBeNull()
    query[2]! |= 0x80
    expect(await sendUdp(query, 100)).toBeNull()
  })

  test('several queries on one TCP connection, in pieces, are all answered', async () => {
    const queries = [1, 2, 3].flatMap((id) => [
      ...withLength(encodeMessage(dnssecQuery(id, 'test.', TYPE.SOA))),
    ])
    const bytes = Uint8Array.from(queries)
    const ids = await new Promise<number[]>((done) => {
      let received: Uint8Array = new Uint8Array()
      const seen: number[] = []
      const socket = connect(dns, () => {
        socket.write(bytes.slice(0, 5))
        setTimeout(() => socket.write(bytes.slice(5)), 10)
      })
      socket.on('data', (chunk) => {
        const { messages, rest } = takeFramed(received, chunk)
        received = rest
        seen.push(...messages.map((message) => decodeMessage(message).id))
        if (seen.length < 3) return
        socket.destroy()
        done(seen)
      })
    })
    expect(ids).toEqual([1, 2, 3])
  })

  test('asking a server that hangs up or keeps silent fails', async () => {
    const silent = createServer()
    await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
    const { port: silentPort } = silent.address() as AddressInfo
    await expect(askOverTcp({ host: '127.0.0.1', port: silentPort }, 'test.', TYPE.SOA, 50)).rejects.toThrow(
      'does not answer',
    )
    silent.on('connection', (socket) => socket.end())
    await expect(askOverTcp({ host: '127.0.0.1', port: silentPort }, 'test.', TYPE.SOA)).rejects.toThrow(
      'closed',
    )
    silent.close()
    const port = dns.port
    await dns.stop()
    await expect(askOverTcp({ host: '127.0.0.1', port }, 'test.', TYPE.SOA)).rejects.toThrow()
  })
})
