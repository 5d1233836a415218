import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'

/**
 * The preimage that locks a worker's pay, for wallets that let one be given. Whoever has it before the release can
 * take the buyer's money on its way: it never leaves the worker's device. It cannot be written as JSON, nor printed.
 */
export type WorkerSecret = {
  /** What the world may know: 32 bytes in hex. */
  readonly paymentHash: string
  /** 32 bytes in hex, for the worker's own wallet and nobody else. */
  reveal(): string
}

/** Makes one of 32 random bytes of the device. */
export function makeWorkerSecret(): WorkerSecret {
  return secretOf(crypto.getRandomValues(new Uint8Array(32)))
}

/** One that the device has kept: the preimage in hex. Throws a `TypeError` that does not show it. */
export function keptWorkerSecret(preimage: string): WorkerSecret {
  return secretOf(bytesOf(preimage))
}

/** The payment hash of a preimage, both in hex. Throws a `TypeError` that does not show it. */
export function paymentHashOf(preimage: string): string {
  return bytesToHex(sha256(bytesOf(preimage)))
}

class Secret implements WorkerSecret {
  readonly paymentHash: string
  readonly #preimage: Uint8Array

  constructor(preimage: Uint8Array) {
    this.#preimage = preimage
    this.paymentHash = bytesToHex(sha256(preimage))
  }

  reveal(): string {
    return bytesToHex(this.#preimage)
  }

  toJSON(): never {
    throw new TypeError('A worker’s secret is not sent: what may be known of it is its paymentHash.')
  }
}

function secretOf(preimage: Uint8Array): WorkerSecret {
  return new Secret(preimage)
}

function bytesOf(preimage: string): Uint8Array {
  if (!/^[0-9a-f]{64}$/.test(preimage)) throw new TypeError('A preimage is 32 bytes in lower-case hex.')
  return Uint8Array.from(preimage.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
