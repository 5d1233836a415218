import { finalizeEvent, generateSecretKey } from 'nostr-tools/pure'
import { afterEach, describe, expect, test } from 'vitest'
import { makeOutboundSockets } from '../outbound/outbound-socket.ts'
import { TEST_CERTIFICATE } from '../outbound/testing/test-certificate.ts'
import { makeRelayPool, NoRelayError } from './relay-pool.ts'
import { type RelayAnswer, startRelay, type TestRelay } from './testing/relay.ts'

const event = finalizeEvent(
  { kind: 1, content: 'hello', tags: [], created_at: 1_700_000_000 },
  generateSecretKey(),
)
/** As it comes by the wire: without the mark that nostr-tools leaves on the object. */
const sent = JSON.parse(JSON.stringify(event))

const closes: RelayAnswer = (_, socket) => {
  socket.close()
  return null
}

const running: TestRelay[] = []
afterEach(async () => {
  await Promise.all(running.splice(0).map((relay) => relay.stop()))
})
const start = async (answer?: RelayAnswer) => {
  const relay = await startRelay(answer)
  running.push(relay)
  return relay
}

const pool = ({ timeoutMs = 5_000, lookup = async () => ['127.0.0.1'], maxBytes = 1_000 } = {}) =>
  makeRelayPool({
    sockets: makeOutboundSockets({ allowLoopback: true, lookup, ca: TEST_CERTIFICATE, maxBytes }),
    timeoutMs,
  })

const reasons = (work: Promise<void>) =>
  work.then(
    () => null,
    (error: NoRelayError) => error.reasons,
  )

test('an event is brought to every relay, and its connections are closed', async () => {
  const relays = [await start(), await start()]
  await pool().publish(
    event,
    relays.map(({ url }) => url),
  )
  await expect.poll(() => relays.map(({ events }) => events)).toEqual([[sent], [sent]])
  await expect.poll(() => relays.map(({ open }) => open())).toEqual([0, 0])
})

test('one relay that takes it is enough; of those named twice and of more than ten none is asked again', async () => {
  const good = await start()
  const bad = await start(({ id }) => ['OK', id, false, 'blocked: not here'])
  await pool().publish(event, [bad.url, good.url, good.url])
  await pool().publish(event, [
    ...Array.from({ length: 9 }, (_, n) => `${bad.url}/${n}`),
    good.url,
    `${good.url}/more`,
  ])
  expect(good.events).toHaveLength(2)
})

test('what is not about the event is passed over', async () => {
  const noisy = await start(({ id }, socket) => {
    for (const said of ['no JSON', '[]', '["NOTICE","slow"]', '["OK","00",false,"other"]', '{}'])
      socket.send(said)
    return ['OK', id, true, '']
  })
  await expect(pool().publish(event, [noisy.url])).resolves.toBeUndefined()
})

test('an event that the relay has already is published', async () => {
  const relay = await start(({ id }) => ['OK', id, false, 'duplicate: have it'])
  await expect(pool().publish(event, [relay.url])).resolves.toBeUndefined()
})

describe('no relay took it, because', () => {
  test.each<[string, RelayAnswer, RegExp]>([
    [
      'it refuses',
      ({ id }) => ['OK', id, false, 'pow: 20 bits\u001b[2J needed'],
      /^address\.test: pow: 20 bits\?\[2J needed$/,
    ],
    ['it says nothing', () => null, /^address\.test takes too long$/],
    ['it hangs up', closes, /^address\.test closed the connection/],
    ['it says too much', () => 'x'.repeat(2_000), /Max payload size exceeded/],
  ])('%s', async (_, answer, reason) => {
    const relay = await start(answer)
    const [said] = (await reasons(pool({ timeoutMs: 500 }).publish(event, [relay.url]))) ?? []
    expect(said).toMatch(reason)
    await expect.poll(() => relay.open()).toBe(0)
  })

  test.each([
    ['ws://address.test', /not asked without TLS/],
    ['https://address.test', /not asked without TLS/],
    ['wss://user:word@address.test', /holds a user or a password/],
    ['wss://relay.onion', /onion/],
    ['wss://10.0.0.1', /not on the public Internet/],
    ['nonsense', /not an absolute URL/],
    ['wss://127.0.0.1:1', /cannot be asked/],
  ])('%s is no relay that we ask', async (url, reason) => {
    expect((await reasons(pool().publish(event, [url])))?.[0]).toMatch(reason)
  })

  test('none was named', async () => {
    await expect(pool().publish(event, [])).rejects.toThrow(NoRelayError)
  })
})
