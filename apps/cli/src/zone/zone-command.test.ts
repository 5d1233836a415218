import { afterEach, expect, test } from 'vitest'
import { declined, startScriptedServer } from '../testing/scripted-server.ts'

const SIGNED = {
  domain: 'shop.test',
  phase: 'signed',
  since: '2026-01-01T00:00:00.000Z',
  waitsUntil: null,
  ds: ['1 13 2 AA'],
  problem: null,
  todo: null,
}
const ASKED = {
  ...SIGNED,
  phase: 'ds-publishing',
  problem: { code: 'PERSON_NEEDED', text: 'It is for a person.' },
  todo: { action: 'publish-ds', text: 'Have it published.', records: ['shop.test. DS 1 13 2 AA'] },
}
const WAITING = { ...SIGNED, phase: 'ds-expiring', waitsUntil: '2026-01-02T00:00:00.000Z', ds: [] }

let server: Awaited<ReturnType<typeof startScriptedServer>>
afterEach(() => server.stop())

async function zone(args: readonly string[], answers: Parameters<typeof startScriptedServer>[0]) {
  server = await startScriptedServer(answers)
  return server.holdfast('zone', ...args.map((word) => (word === 'KEY' ? server.keyFile : word)))
}

test('status shows every zone: what is wrong, what it waits for, what is to be done', async () => {
  const answers = { 'GET /v1/zones': [{ json: { zones: [SIGNED, ASKED, WAITING] } }] }
  expect(await zone(['status'], answers)).toEqual({
    code: 0,
    err: '',
    out: `shop.test  signed since 2026-01-01T00:00:00.000Z
  DS 1 13 2 AA

shop.test  ds-publishing since 2026-01-01T00:00:00.000Z
  ! PERSON_NEEDED: It is for a person.
  to do: Have it published.
    shop.test. DS 1 13 2 AA

shop.test  ds-expiring since 2026-01-01T00:00:00.000Z
  waits until 2026-01-02T00:00:00.000Z: what resolvers remember must run out`,
  })
})

test('status of one, as JSON', async () => {
  const { code, out } = await zone(['status', 'shop.test', '--json'], {
    'GET /v1/zones/shop.test': [{ json: SIGNED }],
  })
  expect({ code, zones: JSON.parse(out) }).toEqual({ code: 0, zones: [SIGNED] })
})

test.each(['sign', 'unsign', 'roll'])('%s asks the server with the key of an operator', async (action) => {
  const answers = { [`POST /v1/zones/shop.test/${action}`]: [{ json: WAITING }] }
  expect(await zone([action, 'shop.test', '--key-file', 'KEY'], answers)).toMatchObject({ code: 0 })
  expect(server.requests()).toHaveLength(1)
})

test.each([
  ['no action', [], 2, 'what? status, sign, unsign or roll'],
  ['no domain', ['sign'], 2, '<domain> is missing'],
  ['too much', ['status', 'a.test', 'b.test'], 2, 'b.test is too much'],
  ['an unknown option', ['status', '--quick'], 2, 'quick'],
  ['no key', ['sign', 'shop.test'], 2, 'needs your key'],
  ['a key that is none', ['sign', 'shop.test', '--key-file', '/dev/null'], 2, 'holds no Nostr secret key'],
  ['a key file that is not there', ['status', '--key-file', '/missing'], 2, 'cannot be read'],
  ['somebody else’s zone', ['status', 'other.test'], 1, 'ZONE_NOT_FOUND: It is so. Do that.'],
])('%s is said', async (_what, args, code, reason) => {
  const answers = { 'GET /v1/zones/other.test': [declined(404, 'ZONE_NOT_FOUND')] }
  const ended = await zone(args, answers)
  expect(ended).toMatchObject({ code, out: '' })
  expect(ended.err).toContain(reason)
})
