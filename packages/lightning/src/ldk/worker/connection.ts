import type { Socket } from 'node:net'
import { SocketDescriptor } from 'lightningdevkit'
import type { Guard } from './guard.ts'

/** Beyond this much unsent, LDK is told to wait. */
const MOST_UNSENT_BYTES = 256 * 1024

/**
 * One socket as LDK sees it. LDK's own `lightningdevkit-node-net` never clears its write-waiting flag and stalls for
 * ever after the first back-pressure, hence this one. What LDK writes is kept back until `flush`, which the node
 * calls only after the turn's commit: no message leaves that depends on a state that a crash could lose.
 */
export class Connection {
  readonly descriptor: SocketDescriptor
  readonly socket: Socket
  readonly #wake: () => void
  #inbox: Uint8Array[] = []
  #outbox: Uint8Array[] = []
  #outboxBytes = 0
  #blocked = false
  #closeAsked = false
  /** LDK has let go of this descriptor: it must not be named to LDK again. */
  forgotten = false
  closed: boolean

  constructor(socket: Socket, hash: bigint, guard: Guard, wake: () => void) {
    this.socket = socket
    this.#wake = wake
    this.closed = socket.closed
    this.descriptor = SocketDescriptor.new_impl({
      send_data: guard.wrap(
        (data, resumeRead) => this.#send(data, resumeRead),
        () => 0,
      ),
      disconnect_socket: guard.wrap(
        () => {
          this.#closeAsked = true
          this.forgotten = true
          wake()
        },
        () => undefined,
      ),
      eq: guard.wrap(
        (other) => other.hash() === hash,
        () => false,
      ),
      hash: () => hash,
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.#inbox.push(chunk)
      wake()
    })
    socket.on('drain', wake)
    // 'close' always follows 'error'; the reason does not change what LDK is told.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.closed = true
      wake()
    })
  }

  takeInput(): Uint8Array[] {
    const chunks = this.#inbox
    this.#inbox = []
    return chunks
  }

  /** LDK asks to read no more until it says so through `send_data`. */
  pauseReading(): void {
    this.socket.pause()
  }

  queue(data: Uint8Array): void {
    this.#outbox.push(data)
    this.#outboxBytes += data.length
  }

  /** True once when LDK was refused space before and there is space again. */
  takeWritable(): boolean {
    if (!this.#blocked || this.#unsentBytes() >= MOST_UNSENT_BYTES) return false
    this.#blocked = false
    return true
  }

  flush(): void {
    if (this.#outbox.length > 0 && !this.socket.destroyed) this.socket.write(Buffer.concat(this.#outbox))
    this.#outbox = []
    this.#outboxBytes = 0
    if (this.#closeAsked && !this.socket.destroyed) this.socket.destroySoon()
    if (this.#blocked && this.#unsentBytes() < MOST_UNSENT_BYTES) this.#wake()
  }

  // The booleans of the bindings are 0 and 1, so never `=== true`.
  #send(data: Uint8Array, resumeRead: boolean): number {
    if (resumeRead && this.socket.isPaused()) this.socket.resume()
    const room = Math.max(0, MOST_UNSENT_BYTES - this.#unsentBytes())
    const accepted = Math.min(room, data.length)
    if (accepted < data.length) this.#blocked = true
    if (accepted > 0) this.queue(data.slice(0, accepted))
    return accepted
  }

  #unsentBytes(): number {
    return this.#outboxBytes + this.socket.writableLength
  }
}
