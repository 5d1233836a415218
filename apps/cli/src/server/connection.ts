import { readFile } from 'node:fs/promises'
import { createHoldfastClient, type HoldfastClient, HoldfastError, secretKeySigner } from '@holdfast/client'
import { decode } from 'nostr-tools/nip19'
import { EXIT, type ExitCode, type Terminal, UsageError } from '../command.ts'

/** Options of every command that talks to a server. */
export const SERVER_OPTIONS = {
  url: { type: 'string' },
  'key-file': { type: 'string' },
  json: { type: 'boolean' },
} as const

export const SERVER_HELP = `  --url URL            the server; default: HOLDFAST_URL, or http://127.0.0.1:3141
  --key-file FILE      your Nostr secret key, nsec1… or 64 hex digits; default: HOLDFAST_KEY_FILE
  --json               print JSON`

type Values = { readonly url?: string; readonly 'key-file'?: string }

const DEFAULT_URL = 'http://127.0.0.1:3141'

/** @throws UsageError when the key cannot be read; without a key only what everybody may ask can be asked. */
export async function connect(values: Values, env: NodeJS.ProcessEnv = process.env): Promise<HoldfastClient> {
  const baseUrl = values.url ?? env.HOLDFAST_URL ?? DEFAULT_URL
  if (!URL.canParse(baseUrl)) throw new UsageError(`--url takes an address such as ${DEFAULT_URL}`)
  const keyFile = values['key-file'] ?? env.HOLDFAST_KEY_FILE
  const secretKey = keyFile === undefined ? null : await readSecretKey(keyFile)
  return createHoldfastClient({ baseUrl, ...(secretKey && { signer: secretKeySigner(secretKey) }) })
}

/** Runs what asks the server; what it declines is the answer no, with what to do. */
export async function answered(terminal: Terminal, ask: () => Promise<ExitCode>): Promise<ExitCode> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    if (error.code === 'SIGNER_REQUIRED')
      throw new UsageError('this needs your key: give it with --key-file', { cause: error })
    terminal.err(`${error.code}: ${error.title} ${error.detail}`)
    return error.code === 'NETWORK_FAILED' || error.status >= 500 ? EXIT.unavailable : EXIT.no
  }
}

/** A file and not an argument, which other users of the machine could see. The key is never part of a message. */
async function readSecretKey(file: string): Promise<Uint8Array> {
  const text = (
    await readFile(file, 'utf8').catch((cause: Error) => {
      throw new UsageError(`${file} cannot be read: ${cause.message}`, { cause })
    })
  ).trim()
  if (/^[0-9a-f]{64}$/i.test(text)) return new Uint8Array(Buffer.from(text, 'hex'))
  const key = text.startsWith('nsec1') ? decodeNsec(text) : null
  if (key === null) throw new UsageError(`${file} holds no Nostr secret key (nsec1… or 64 hex digits)`)
  return key
}

function decodeNsec(text: string): Uint8Array | null {
  try {
    const decoded = decode(text)
    return decoded.type === 'nsec' ? decoded.data : null
  } catch {
    // Whatever is wrong with it must not be shown: it may be a key with a slip of the pen.
    return null
  }
}
