// The clients of a load, in a thread of their own, so that the server's event loop does not work for them too.
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { Load, LoadRequest, LoadResult } from './requests.ts'

const CONNECTIONS_BEFORE = 8
const REQUESTS_BEFORE = 50

const { url, requests, perSecond } = workerData as Load
const agent = new Agent({ keepAlive: true, maxSockets: 256 })
await warmUp()
const results = perSecond === undefined ? await oneAfterTheOther() : await openLoop(1000 / perSecond)
agent.destroy()
parentPort?.postMessage(results)

/** What is measured is the server, not how long this thread takes to compile itself and to connect. */
async function warmUp(): Promise<void> {
  const health = { method: 'GET', path: '/health', headers: {} } as const
  const connection = async () => {
    for (let sent = 0; sent < REQUESTS_BEFORE; sent++) await send(health, performance.now())
  }
  await Promise.all(Array.from({ length: CONNECTIONS_BEFORE }, connection))
}

async function oneAfterTheOther(): Promise<LoadResult[]> {
  const answers: LoadResult[] = []
  for (const one of requests) answers.push(await send(one, performance.now()))
  return answers
}

async function openLoop(everyMs: number): Promise<LoadResult[]> {
  const began = performance.now()
  const answers: Promise<LoadResult>[] = []
  for (const [index, one] of requests.entries()) {
    const due = began + index * everyMs
    const early = due - performance.now()
    if (early > 0) await sleep(early)
    answers.push(send(one, due))
  }
  return Promise.all(answers)
}

function send({ method, path, headers, body }: LoadRequest, countedFrom: number): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, headers, agent }, (response) => {
      response.resume()
      response.on('error', reject)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, ms: performance.now() - countedFrom }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })
}
