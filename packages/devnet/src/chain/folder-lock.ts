import { createHash } from 'node:crypto'
import { mkdirSync, realpathSync, rmSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Another process keeps its chain in this folder: two writers would ruin the file. */
export class FolderInUse extends Error {
  constructor(folder: string) {
    super(`${folder} is in use by another process. Stop that one first, or choose another folder.`)
    this.name = 'FolderInUse'
  }
}

/**
 * Claims the folder for this process until the returned function is called or the process dies, however it dies: the
 * claim is a listening socket named after the folder. Linux takes an abstract one away with the process; elsewhere it
 * is a file, which is taken over when nobody answers it. Throws `FolderInUse`.
 */
export async function lockFolder(
  folder: string,
  { hasAbstractSockets = process.platform === 'linux' } = {},
): Promise<() => Promise<void>> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const name = `holdfast-chain-${createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32)}`
  const address = hasAbstractSockets ? `\0${name}` : join(tmpdir(), `${name}.sock`)
  const server = (await listen(address)) ?? (await takeOverAbandoned(address))
  if (server === null) throw new FolderInUse(folder)
  server.unref()
  return () => new Promise<void>((resolve) => server.close(() => resolve()))
}

/** `null` when the address is taken. */
function listen(address: string): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null)
      else reject(error)
    })
    server.listen(address, () => resolve(server))
  })
}

/** A socket file outlives its process; if nobody answers there, it is ours to replace. */
async function takeOverAbandoned(address: string): Promise<Server | null> {
  if (address.startsWith('\0') || (await isAnswered(address))) return null
  rmSync(address, { force: true })
  return listen(address)
}

function isAnswered(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
