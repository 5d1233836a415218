import { hexToBytes as fromHex, bytesToHex as toHex } from '@noble/hashes/utils.js'

/** Lower-case hexadecimal, two digits a byte. */
export type Hex = string

export const bytesToHex: (bytes: Uint8Array) => Hex = toHex
/** Throws a plain error when `hex` is malformed: only for values that our own code has produced or checked. */
export const hexToBytes: (hex: Hex) => Uint8Array = fromHex

export function isHex(text: string, bytes: number): boolean {
  return text.length === bytes * 2 && /^[0-9a-f]*$/.test(text)
}
