import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { initializeWasmFromBinary } from 'lightningdevkit'

/** For ten nodes, and for what some seconds of their work leave behind. It costs nothing until it is used. */
const FIRST_ROOM_BYTES = 176 * 2 ** 20
/** Monitors keep something of every commitment, so whatever room there is will be full one day. */
const MORE_ROOM_BYTES = 16 * 2 ** 20
const LOOK_EVERY_MS = 500
/** Collected no more often than this it costs next to nothing, and more room would only be more memory. */
const FULL_TOO_SOON_MS = 4_000

let initialised: Promise<void> | null = null

/** Loads the one WASM instance of this thread. */
export function loadWasm(): Promise<void> {
  initialised ??= (async () => {
    const path = createRequire(import.meta.url).resolve('lightningdevkit/liblightningjs.wasm')
    const module = await readFile(path)
    await withInstance(module, keepRoom)
    // V8 has a copy of its own. An idle thread does not collect these 12 MB for a long time.
    module.buffer.transfer(0)
  })()
  return initialised
}

/** lightningdevkit keeps its instance to itself, so it is taken on its way there. */
async function withInstance(wasm: Uint8Array, look: (instance: WebAssembly.Instance) => void): Promise<void> {
  const { instantiate } = WebAssembly
  const watched = async (bytes: BufferSource, imports?: WebAssembly.Imports) => {
    const source = await instantiate(bytes, imports)
    look(source.instance)
    return source
  }
  WebAssembly.instantiate = watched as typeof instantiate
  try {
    await initializeWasmFromBinary(wasm)
  } finally {
    WebAssembly.instantiate = instantiate
  }
}

/**
 * What LDK no longer needs is freed when V8 has collected the object that stood for it. Until then the allocator takes
 * more memory, 64 KB at a time; V8 takes each growth for as much new memory as there is in all, and collects. Without
 * room it does so several times a second, which is a tenth of the thread's time and as much again on others.
 */
function keepRoom({ exports }: WebAssembly.Instance): void {
  const memory = exports.memory as WebAssembly.Memory
  makeRoom(exports, FIRST_ROOM_BYTES)
  let size = memory.buffer.byteLength
  let fullAt = performance.now()
  setInterval(() => {
    if (memory.buffer.byteLength === size) return
    // It has grown, so the room was full.
    const now = performance.now()
    if (now - fullAt < FULL_TOO_SOON_MS) makeRoom(exports, MORE_ROOM_BYTES)
    fullAt = now
    size = memory.buffer.byteLength
  }, LOOK_EVERY_MS).unref()
}

/** What was allocated and freed stays with the allocator. */
function makeRoom({ TS_malloc, TS_free }: WebAssembly.Exports, bytes: number): void {
  const [allocate, free] = [TS_malloc, TS_free] as ((n: number) => number)[]
  const room = allocate?.(bytes)
  // 0: that much is not to be had. Then it grows as it must.
  if (room) free?.(room)
}
