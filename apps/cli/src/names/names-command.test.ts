import { writeFileSync } from 'node:fs'
import { npubEncode, nsecEncode } from 'nostr-tools/nip19'
import { afterEach, expect, test } from 'vitest'
import { declined, startScriptedServer } from '../testing/scripted-server.ts'

const KEY = 'aa'.repeat(32)
const NAME = {
  name: 'alice@shop.test',
  state: 'active',
  owner: KEY,
  jobId: 'job',
  createdAt: 1,
  offer: 'lno1x',
}
const RUNNING = {
  id: 'job',
  kind: 'name.register',
  name: 'alice@shop.test',
  state: 'running',
  percent: 20,
  step: 'make-offer',
  stepsDone: [{ step: 'name-claimed', at: 1 }],
}
const DONE = {
  ...RUNNING,
  state: 'succeeded',
  percent: 100,
  stepsDone: [...RUNNING.stepsDone, { step: 'offer-ready', at: 2 }],
}
const FAILED = {
  ...RUNNING,
  state: 'failed',
  error: { code: 'DNS_UNAVAILABLE', title: 'No DNS.', hint: 'Wait.' },
}
const AT = '/v1/names/alice%40shop.test'

let server: Awaited<ReturnType<typeof startScriptedServer>>
afterEach(() => server.stop())

async function names(args: readonly string[], answers: Parameters<typeof startScriptedServer>[0]) {
  server = await startScriptedServer(answers)
  return server.holdfast('names', ...args, '--key-file', server.keyFile)
}

test('register follows the registration to its end, step by step', async () => {
  const ended = await names(['register', '₿alice@shop.test', '--offer', 'lno1mine'], {
    'POST /v1/names': [{ status: 202, json: RUNNING }],
    'GET /v1/jobs/job': [{ json: RUNNING }, { json: DONE }],
  })
  expect(ended).toEqual({ code: 0, err: '', out: '  ✓ name-claimed\n  ✓ offer-ready\ndone' })
  expect(server.requests()[0]!.body).toEqual({ user: 'alice', domain: 'shop.test', offer: 'lno1mine' })
})

test('the wildcard of a domain is registered by its star', async () => {
  await names(['register', '*@shop.test'], {
    'POST /v1/names': [{ status: 202, json: RUNNING }],
    'GET /v1/jobs/job': [{ json: DONE }],
  })
  expect(server.requests()[0]!.body).toEqual({ user: '*', domain: 'shop.test' })
})

test('one that fails says why, and ends with code 1', async () => {
  const ended = await names(['register', 'alice@shop.test'], {
    'POST /v1/names': [{ status: 202, json: RUNNING }],
    'GET /v1/jobs/job': [{ json: FAILED }],
  })
  expect(ended).toMatchObject({
    code: 1,
    out: '  ✓ name-claimed\nDNS_UNAVAILABLE: No DNS. Wait.',
  })
})

test.each([
  ['show', [], `GET ${AT}`, NAME, '₿alice@shop.test  active\n  lno1x'],
  [
    'show',
    [],
    `GET ${AT}`,
    { ...NAME, unhealthy: { reason: 'bogus', title: 'The chain is broken.', hint: 'Mend it.', since: 0 } },
    '! bogus since 1970-01-01T00:00:00.000Z: The chain is broken. Mend it.',
  ],
  [
    'release',
    [],
    `DELETE ${AT}`,
    { ...NAME, state: 'withdrawing', offer: null },
    '₿alice@shop.test  withdrawing',
  ],
  [
    'transfer',
    [KEY],
    `PUT ${AT}/transfer`,
    { ...NAME, transfer: { to: KEY, until: 0 } },
    `proposed to ${KEY} until 1970-01-01T00:00:00.000Z`,
  ],
  [
    'transfer',
    [npubEncode(KEY)],
    `PUT ${AT}/transfer`,
    { ...NAME, transfer: { to: KEY, until: 0 } },
    `proposed to ${KEY}`,
  ],
  ['keep', [], `DELETE ${AT}/transfer`, NAME, 'active'],
  [
    'suspend',
    [],
    `POST ${AT}/suspend`,
    { ...NAME, trouble: { code: 'DNS_UNAVAILABLE', title: 'No DNS.', hint: 'Wait.' } },
    '! DNS_UNAVAILABLE: No DNS. Wait.',
  ],
])('%s asks about the name and shows it', async (action, words, request, name, shown) => {
  const ended = await names([action, 'alice@shop.test', ...words], { [request]: [{ json: name }] })
  expect(ended).toMatchObject({ code: 0, err: '' })
  expect(ended.out).toContain(shown)
})

test.each([
  ['offer', `PUT ${AT}`],
  ['accept', `POST ${AT}/transfer/accept`],
  ['resume', `POST ${AT}/resume`],
])('%s is followed to its end', async (action, request) => {
  const answers = { [request]: [{ status: 202, json: RUNNING }], 'GET /v1/jobs/job': [{ json: DONE }] }
  const ended = await names([action, 'alice@shop.test', '--json'], answers)
  expect(ended.code).toBe(0)
  expect(JSON.parse(ended.out)).toMatchObject({ state: 'succeeded' })
})

test('list goes through all pages', async () => {
  const ended = await names(['list'], {
    'GET /v1/names?owner=me': [{ json: { names: [NAME], next: 'more' } }],
    'GET /v1/names?owner=me&after=more': [
      { json: { names: [{ ...NAME, name: 'bob@shop.test' }], next: null } },
    ],
  })
  expect(ended.out).toBe('₿alice@shop.test  active\n  lno1x\n₿bob@shop.test  active\n  lno1x')
})

test('a list without names says so', async () => {
  const ended = await names(['list'], { 'GET /v1/names?owner=me': [{ json: { names: [], next: null } }] })
  expect(ended.out).toBe('You have no names here.')
})

test('the key may be an nsec; one with a mistake is not repeated', async () => {
  server = await startScriptedServer({ 'GET /v1/names?owner=me': [{ json: { names: [], next: null } }] })
  const nsec = nsecEncode(new Uint8Array(32).fill(7))
  writeFileSync(server.keyFile, nsec)
  expect(await server.holdfast('names', 'list', '--key-file', server.keyFile)).toMatchObject({ code: 0 })
  writeFileSync(server.keyFile, `${nsec.slice(0, -1)}q`)
  const ended = await server.holdfast('names', 'list', '--key-file', server.keyFile)
  expect(ended.code).toBe(2)
  expect(ended.err).not.toContain(nsec.slice(5, 20))
})

test.each([
  ['no action', [], 2, 'what? list'],
  ['an unknown action', ['dance', 'alice@shop.test'], 2, 'what? list'],
  ['no name', ['show'], 2, '<name> is missing'],
  ['no key to transfer to', ['transfer', 'alice@shop.test'], 2, '<public key> is missing'],
  ['what is no key', ['transfer', 'alice@shop.test', `${npubEncode(KEY)}q`], 2, 'is no Nostr public key'],
  ['what is no name', ['register', 'alice'], 2, 'is no name such as'],
  ['an unknown name', ['show', 'alice@shop.test'], 1, 'NAME_NOT_FOUND'],
  ['a server with a fault', ['release', 'alice@shop.test'], 3, 'INTERNAL'],
])('%s is said', async (_what, args, code, reason) => {
  const ended = await names(args, {
    [`GET ${AT}`]: [declined(404, 'NAME_NOT_FOUND')],
    [`DELETE ${AT}`]: [declined(500, 'INTERNAL')],
  })
  expect(ended).toMatchObject({ code, out: '' })
  expect(ended.err).toContain(reason)
})
