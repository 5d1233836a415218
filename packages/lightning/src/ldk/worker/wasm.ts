import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { initializeWasmFromBinary } from 'lightningdevkit'

let initialised: Promise<void> | null = null

/** Loads the one WASM instance of this thread. */
export function loadWasm(): Promise<void> {
  initialised ??= (async () => {
    const path = createRequire(import.meta.url).resolve('lightningdevkit/liblightningjs.wasm')
    await initializeWasmFromBinary(await readFile(path))
  })()
  return initialised
}
