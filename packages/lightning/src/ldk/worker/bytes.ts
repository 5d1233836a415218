import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'

export const toHex = bytesToHex
export const fromHex = hexToBytes

/** Transaction and block hashes are shown in reverse byte order; LDK wants the internal one. */
function reversed(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(bytes).reverse()
}

export const displayHash = (internal: Uint8Array): string => toHex(reversed(internal))
export const internalHash = (display: string): Uint8Array => reversed(fromHex(display))
