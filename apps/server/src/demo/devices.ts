import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Signer, secretKeySigner } from '@holdfast/client'
import { hexToBytes } from '@noble/hashes/utils.js'
import { DemoError } from './story.ts'

/** A user's own device as its user sees it: the demo plays the user, so it may look; the server never does. */
export type DeviceView = {
  pubkey: string
  signer: Signer
  balanceMsat(): Promise<bigint>
  proof(paymentId: string): Promise<{ paymentHash: string; preimage: string }>
}

/** The devices of the devnet in `folder`, by the name of their user. */
export async function openDevices(folder: string): Promise<(name: string) => DeviceView> {
  const file = join(folder, 'devices.json')
  if (!existsSync(file))
    throw new DemoError('DEVNET_NOT_FOUND', `No devnet is running with the data folder ${folder}.`)
  const { url, token } = JSON.parse(readFileSync(file, 'utf8')) as { url: string; token: string }

  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(10_000),
    })
    if (!response.ok)
      throw new DemoError('DEVICE_UNAVAILABLE', `The device answered ${response.status} to ${path}.`)
    return (await response.json()) as T
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
    }
  }
}
