import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage, encodeMessage } from '@holdfast/protocols/dns/message'
import { resolveTxt } from '@holdfast/protocols/dnssec'
import { makeWorld, NOW, text, type World } from '@holdfast/protocols/dnssec/testing/signed-world'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeQuery } from './dns-transport.ts'
import { type Script, type ScriptedDnsServer, startScriptedDnsServer } from './testing/scripted-dns-server.ts'

const NAME = 'alice.user._bitcoin-payment.shop.test.'
const LONG = Array.from({ length: 8 }, (_, i) => String(i).repeat(255))

let world: World
let server: ScriptedDnsServer
const prepared = new Map<string, Uint8Array>()

beforeEach(async () => {
  world = makeWorld([
    { apex: '.' },
    { apex: 'test.' },
    {
      apex: 'shop.test.',
      data: (add) => {
        add('alice.user._bitcoin-payment', TYPE.TXT, text('bitcoin:?lno=lno1', 'abc'))
        add('long', TYPE.TXT, text(...LONG))
      },
    },
  ])
  prepared.clear()
  server = await startScriptedDnsServer(() => [])
})

afterEach(() => server.stop())

/** Asks the world ahead of the server, which answers at once. */
async function resolveOver(name: string, change: Script | null = null) {
  const query = makeQuery({ servers: [server.server], timeoutMs: 2_000, rounds: 1 })
  server.follow((request) => change?.(request) ?? respond(request))
  return resolveTxt(name, {
    nowSeconds: NOW,
    anchors: world.anchors,
    query: async (asked, type) => {
      prepared.set(`${asked} ${type}`, await world.query(asked, type))
      return query(asked, type)
    },
  })
}

const respond: Script = ({ wire, via }) => {
  const { id, question } = decodeMessage(wire)
  const answer = decodeMessage(prepared.get(`${question[0]!.name} ${question[0]!.type}`)!)
  const full = encodeMessage({ ...answer, id })
  if (via === 'tcp' || full.length <= 1232) return [full]
  return [
    encodeMessage({ ...answer, id, answer: [], authority: [], flags: { ...answer.flags, truncated: true } }),
  ]
}

describe('resolveTxt over the transport', () => {
  test('validates a record from the root down', async () => {
    const resolution = await resolveOver(NAME)
    expect(resolution).toMatchObject({ status: 'secure' })
    expect(valuesOf(resolution)).toEqual(['bitcoin:?lno=lno1abc'])
  })

  test('validates a record that only TCP can carry', async () => {
    expect(valuesOf(await resolveOver('long.shop.test.'))).toEqual([LONG.join('')])
    expect(server.requests.some(({ via }) => via === 'tcp')).toBe(true)
  })

  test('validates a denial', async () => {
    expect(await resolveOver(`nobody.${NAME}`)).toMatchObject({ status: 'nxdomain' })
  })

  test('does not believe an answer that was changed on its way', async () => {
    const forge: Script = ({ wire }) => {
      const { question } = decodeMessage(wire)
      if (question[0]!.type !== TYPE.TXT) return respond({ wire, via: 'udp' })
      const [honest] = respond({ wire, via: 'udp' }) as Uint8Array[]
      const answer = decodeMessage(honest!)
      answer.answer = answer.answer.map((record) =>
        record.type === TYPE.TXT ? { ...record, rdata: text('bitcoin:?lno=lno1evil') } : record,
      )
      return [encodeMessage(answer)]
    }
    expect(await resolveOver(NAME, forge)).toMatchObject({ status: 'bogus', code: 'signature-wrong' })
  })

  test('says that the DNS is down, not that there is no such name', async () => {
    expect(await resolveOver(NAME, () => [])).toMatchObject({ status: 'unavailable' })
  })
})

function valuesOf(resolution: Awaited<ReturnType<typeof resolveTxt>>): string[] {
  if (resolution.status !== 'secure') throw new Error(resolution.status)
  return resolution.values.map((value) => Buffer.from(value).toString())
}
