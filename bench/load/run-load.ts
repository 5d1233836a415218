import { Worker } from 'node:worker_threads'
import type { Load, LoadResult } from './requests.ts'

/** Sends a load and resolves when every request has its answer. */
export async function runLoad(load: Load): Promise<LoadResult[]> {
  return new Promise<LoadResult[]>((resolve, reject) => {
    const thread = new Worker(new URL('./thread.ts', import.meta.url), { workerData: load })
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => reject(new Error('The load thread ended without an answer.')))
  })
}
