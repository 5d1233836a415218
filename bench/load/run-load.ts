import { Worker } from 'node:worker_threads'
import type { Load, LoadResult } from './requests.ts'

/** Sends a load and answers when every request has its answer. A status other than `expected` is an error. */
export async function runLoad(load: Load, expected: number): Promise<number[]> {
  const results = await new Promise<LoadResult[]>((resolve, reject) => {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: load })
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => reject(new Error('The load thread ended without an answer.')))
  })
  const odd = results.filter(({ status }) => status !== expected)
  if (odd.length > 0)
    throw new Error(`${odd.length} of ${results.length} requests were answered ${odd[0]?.status}.`)
  return results.map(({ ms }) => ms)
}
