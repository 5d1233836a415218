import { TYPE } from '@holdfast/protocols/dns/codes'
import { decodeMessage } from '@holdfast/protocols/dns/message'
import { NOW } from '@holdfast/protocols/dnssec/testing/signed-world'
import { NAME, VALUE_TEXT, withShop } from '@holdfast/protocols/dnssec/testing/validation-cases'
import { expect, test } from 'vitest'
import { dohQuery } from './doh-query.ts'
import { resolveName } from './resolve-name.ts'
import { answerQuery, queryInUrl } from './testing/doh-service.ts'
import { verifyNameProof } from './verify.ts'

const URL_OF_DOH = 'https://dns.example/dns-query?ct=1'

const queryIn = ({ url }: Request) => queryInUrl(new URL(url))

/** A DNS over HTTPS service as `fetch` meets it. */
function service(answer: (query: Uint8Array) => Response) {
  const requests: Request[] = []
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input as URL, init)
    requests.push(request)
    return answer(queryIn(request))
  }
  return { requests, query: dohQuery(URL_OF_DOH, { fetch: send }) }
}

const world = withShop({})
const at = new Date(NOW * 1000)
const fromWorld = (query: Uint8Array) => new Response(Uint8Array.from(answerQuery(world, query)))

test('a name is resolved over HTTPS, and its proof verifies offline', async () => {
  const { query, requests } = service(fromWorld)
  const found = await resolveName('₿alice@shop.test', { query, anchors: world.anchors, at })
  expect(found).toMatchObject({ valid: true, uri: VALUE_TEXT, expiresAt: NOW + 120 })
  expect(await verifyNameProof('alice@shop.test', found.proof!, { anchors: world.anchors, at })).toEqual({
    ...found,
    proof: undefined,
  })
  const [first] = requests
  expect(first!.method).toBe('GET')
  expect(first!.url).toMatch(/^https:\/\/dns\.example\/dns-query\?ct=1&dns=[A-Za-z0-9_-]+$/)
  expect([...first!.headers]).toEqual([['accept', 'application/dns-message']])
  expect(decodeMessage(queryIn(first!))).toMatchObject({
    id: 0,
    flags: { checkingDisabled: true, recursionDesired: true },
    question: [{ name: NAME, type: TYPE.TXT }],
    edns: { dnssecOk: true },
  })
})

test.each([
  ['an error of the service', () => new Response('', { status: 500 })],
  ['what is no DNS message', () => new Response('<html>')],
])('%s is no answer', async (_, answer) => {
  const { query } = service(answer)
  expect(await resolveName('alice@shop.test', { query, anchors: world.anchors, at })).toMatchObject({
    valid: false,
    code: 'unavailable',
    proof: null,
  })
})

test('what a service forges is not believed', async () => {
  const { query } = service((asked) => {
    return new Response(Uint8Array.from(answerQuery(withShop({ signWith: [] }), asked)))
  })
  const found = await resolveName('alice@shop.test', { query, anchors: world.anchors, at })
  expect(found).toMatchObject({ valid: false, code: 'signature-missing' })
})
