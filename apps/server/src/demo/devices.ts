import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Signer, secretKeySigner } from '@holdfast/client'
import { hexToBytes } from '@noble/hashes/utils.js'
import { DemoError } from './demo-error.ts'

/** A user's own device as its user sees it: the demo plays the user, so it may look; the server never does. */
export type DeviceView = {
  pubkey: string
  signer: Signer
  balanceMsat(): Promise<bigint>
  proof(paymentId: string): Promise<ProofOfPayment>
  /** Null while the wallet has not paid, or cannot know yet. */
  findProof(paymentId: string): Promise<ProofOfPayment | null>
  /** A BOLT 11 invoice of the wallet; with `paymentHash` on a secret that its user has. */
  makeInvoice(wish: InvoiceWish): Promise<string>
}

export type ProofOfPayment = { readonly paymentHash: string; readonly preimage: string }

export type InvoiceWish = {
  readonly amountMsat: bigint
  readonly description: string
  readonly expirySeconds: number
  readonly paymentHash?: string
}

/** The devices of the devnet in `folder`, by the name of their user. */
export async function openDevices(folder: string): Promise<(name: string) => DeviceView> {
  const file = join(folder, 'devices.json')
  if (!existsSync(file))
    throw new DemoError('DEVNET_NOT_FOUND', `No devnet is running with the data folder ${folder}.`)
  const { url, token } = JSON.parse(readFileSync(file, 'utf8')) as { url: string; token: string }

  const find = async <T>(path: string, wish?: object): Promise<T | null> => {
    const response = await fetch(`${url}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
      ...(wish && { method: 'POST', body: JSON.stringify(wish) }),
    }).catch((cause) => {
      const words = 'The device does not answer. It runs while the server does.'
      throw new DemoError('DEVICE_UNAVAILABLE', words, { cause })
    })
    if (response.status === 404) return null
    if (!response.ok)
      throw new DemoError('DEVICE_UNAVAILABLE', `The device answered ${response.status} to ${path}.`)
    return (await response.json()) as T
  }
  const ask = async <T>(path: string, wish?: object): Promise<T> => {
    const found = await find<T>(path, wish)
    if (found === null) throw new DemoError('DEVICE_UNAVAILABLE', `The device does not know ${path}.`)
    return found
  }
  const known = await ask<{ name: string; pubkey: string; folder: string }[]>('/devices')

  return (name) => {
    const device = known.find((candidate) => candidate.name === name)
    if (!device) throw new DemoError('DEVICE_NOT_FOUND', `The devnet has no user called ${name}.`)
    const secretKey = hexToBytes(readFileSync(join(device.folder, 'nostr-secret-key'), 'utf8').trim())
    return {
      pubkey: device.pubkey,
      signer: secretKeySigner(secretKey),
      balanceMsat: async () =>
        BigInt((await ask<{ lightningMsat: string }>(`/devices/${name}/balance`)).lightningMsat),
      proof: (paymentId) => ask(`/devices/${name}/proofs/${paymentId}`),
      findProof: (paymentId) => find(`/devices/${name}/proofs/${paymentId}`),
      makeInvoice: async ({ amountMsat, ...wish }) => {
        const asked = { ...wish, amountMsat: String(amountMsat) }
        return (await ask<{ invoice: string }>(`/devices/${name}/invoices`, asked)).invoice
      },
    }
  }
}
