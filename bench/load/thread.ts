// The clients of a load, in a thread of their own, so that the server's event loop does not work for them too.
import { setTimeout as sleep } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { openConnections } from './connections.ts'
import type { Load, LoadRequest, LoadResult } from './requests.ts'

const CONNECTIONS_BEFORE = 8
const REQUESTS_BEFORE = 50

const { url, requests, perSecond } = workerData as Load
const connections = openConnections(url)
await warmUp()
const results = perSecond === undefined ? await oneAfterTheOther() : await openLoop(1000 / perSecond)
connections.close()
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

async function send(request: LoadRequest, countedFrom: number): Promise<LoadResult> {
  const status = await connections.send(request)
  return { status, ms: performance.now() - countedFrom }
}
