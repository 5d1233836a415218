import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { schnorr } from '@noble/curves/secp256k1.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { writeFileDurably } from '../durable-file.ts'

/**
 * Stands for a user's own machine: a folder that holds the Nostr secret key and the seed of the Lightning node.
 * On a real network this is the user's phone; only the devnet has it in a folder, and the server never opens it.
 */
export type Device = {
  readonly name: string
  readonly folder: string
  /** x-only public key, hex. */
  readonly pubkey: string
  /** 32 bytes. */
  readonly seed: Uint8Array
}

const NOSTR_KEY_FILE = 'nostr-secret-key'
const SEED_FILE = 'seed'

/** Opens the device in `folder`; makes its keys on first use. */
export function openDevice(folder: string, name: string): Device {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const secretKey = readOrMakeKey(join(folder, NOSTR_KEY_FILE), () => schnorr.utils.randomSecretKey())
  const seed = readOrMakeKey(join(folder, SEED_FILE), () => new Uint8Array(randomBytes(32)))
  return { name, folder, seed, pubkey: bytesToHex(schnorr.getPublicKey(secretKey)) }
}

function readOrMakeKey(file: string, make: () => Uint8Array): Uint8Array {
  if (existsSync(file)) return hexToBytes(readFileSync(file, 'utf8').trim())
  const key = make()
  writeFileDurably(file, `${bytesToHex(key)}\n`, 0o600)
  return key
}
