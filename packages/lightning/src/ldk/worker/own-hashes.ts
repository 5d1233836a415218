import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { type Hex, NodeError } from '../../ports.ts'
import { toHex } from './bytes.ts'

const MOST_LABEL_BYTES = 200

/** Preimages that follow from the node's seed and a label. They are made when they are needed and kept nowhere. */
export class OwnHashes {
  readonly #key: Uint8Array

  constructor(seed: Uint8Array) {
    this.#key = hkdf(sha256, seed, undefined, utf8ToBytes('Holdfast own holds 1'), 32)
  }

  paymentHash(label: string): Hex {
    return toHex(sha256(this.preimage(label)))
  }

  preimage(label: string): Uint8Array {
    const bytes = utf8ToBytes(label)
    if (bytes.length === 0 || bytes.length > MOST_LABEL_BYTES)
      throw new NodeError('invalid', `A label has 1 to ${MOST_LABEL_BYTES} bytes.`)
    return hmac(sha256, this.#key, bytes)
  }
}
