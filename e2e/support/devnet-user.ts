import { join } from 'node:path'
import { createHoldfastClient, type HoldfastClient } from '@holdfast/client'
import { type DeviceView, openDevices } from '@holdfast/server/demo/devices'
import { DEVNET_USERS } from '@holdfast/server/embedded-world'

export type UserName = (typeof DEVNET_USERS)[number]

export const USER_NAMES: readonly UserName[] = DEVNET_USERS

/** A user of the devnet: the device, and a client that signs as them. */
export type DevnetUser = { readonly device: DeviceView; readonly client: HoldfastClient }

/** The users of the devnet in a running server's data folder. */
export async function openUsers(dataDir: string, url: string): Promise<ReadonlyMap<UserName, DevnetUser>> {
  const device = await openDevices(join(dataDir, 'devnet'))
  return new Map(
    USER_NAMES.map((name) => {
      const view = device(name)
      return [name, { device: view, client: createHoldfastClient({ baseUrl: url, signer: view.signer }) }]
    }),
  )
}
