import type { HoldfastClient, NameRequest } from '@holdfast/client'

/** Registers a name as a client does and waits until it is active. */
export async function registerName(
  client: HoldfastClient,
  request: NameRequest,
): Promise<{ name: string; offer: string }> {
  const name = `${request.user}@${request.domain}`
  const { id } = await client.registerName(request)
  const { state, error } = await client.waitForJob(id)
  if (state !== 'succeeded') throw new Error(`The registration of ${name} has ${state}: ${error?.code}.`)
  const { offer } = await client.getName(name)
  if (!offer) throw new Error(`${name} has no offer.`)
  return { name, offer }
}
