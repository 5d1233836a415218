import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openConnections } from './connections.ts'

const post = { method: 'POST', path: '/', headers: {}, body: '{"a":"₿"}' } as const

async function withServer<T>(answer: RequestListener, use: (url: string) => Promise<T>): Promise<T> {
  const server = createServer(answer)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test.each<[string, number, RequestListener]>([
  ['of a known length, in many pieces', 202, (_request, reply) => void reply.end('x'.repeat(300_000))],
  [
    'in chunks',
    201,
    (_request, reply) => {
      reply.write('{"a":')
      setImmediate(() => reply.end('1}'))
    },
  ],
  ['without a body', 204, (_request, reply) => void reply.setHeader('content-length', 0).end()],
])('answers %s end where they end, and the connection is used again', async (_what, status, answer) => {
  const sockets = new Set<unknown>()
  const bodies: string[] = []
  await withServer(
    async (request, reply) => {
      sockets.add(request.socket)
      bodies.push(Buffer.concat(await request.toArray()).toString())
      reply.statusCode = status
      answer(request, reply)
    },
    async (url) => {
      const connections = openConnections(url)
      for (let sent = 0; sent < 3; sent++) expect(await connections.send(post)).toBe(status)
      expect(await Promise.all([connections.send(post), connections.send(post)])).toEqual([status, status])
      connections.close()
    },
  )
  expect(sockets.size).toBe(2)
  expect(bodies).toEqual(Array(5).fill(post.body))
})

test('a connection that the server closes fails the request', async () => {
  await withServer(
    (request) => request.socket.destroy(),
    (url) => expect(openConnections(url).send(post)).rejects.toThrow('closed a connection'),
  )
})
