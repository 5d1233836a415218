import { createHoldfastClient, HoldfastError } from '@holdfast/client'
import { ConfigError, readConfig } from '../platform/config.ts'
import { DemoError } from './demo-error.ts'
import { type DeviceView, openDevices } from './devices.ts'
import { playEscrows } from './escrow/play-escrows.ts'
import { findOrStartServer } from './running-server.ts'
import { playNameStory } from './story.ts'
import type { Teller } from './teller.ts'

/**
 * Alice registers a name and Bob pays it; Dave buys from Carol by escrow. On the server of `env`'s data folder. Answers
 * the exit code.
 */
export async function playDemo(
  wish: { env: NodeJS.ProcessEnv; user: string; amountMsat: string },
  teller: Teller,
): Promise<number> {
  let stop: () => Promise<void> = async () => undefined
  try {
    const amountMsat = readAmount(wish.amountMsat)
    const { dataDir, domains } = readConfig(wish.env)
    const server = await findOrStartServer(dataDir, teller.tell, { env: wish.env })
    stop = server.stop
    const device = await openDevices(server.devnetFolder)
    const person = (view: DeviceView) => ({
      device: view,
      client: createHoldfastClient({ baseUrl: server.url, signer: view.signer }),
    })
    const ending = await playNameStory(
      {
        merchant: person(device('alice')),
        buyer: person(device('bob')),
        user: wish.user,
        domain: domains[0] ?? 'shop.test',
        amountMsat,
      },
      teller.tell,
    )
    const escrows = await playEscrows(
      { buyer: person(device('dave')), worker: person(device('carol')) },
      teller.tell,
    )
    teller.end({ ...ending, escrows }, server)
    return 0
  } catch (error) {
    teller.fail(codeOf(error), wordsOf(error))
    return 1
  } finally {
    await stop()
  }
}

function readAmount(text: string): bigint {
  if (!/^[1-9][0-9]{0,18}$/.test(text))
    throw new DemoError('AMOUNT_INVALID', '--amount is a whole number of millisatoshi')
  return BigInt(text)
}

function codeOf(error: unknown): string {
  if (error instanceof DemoError || error instanceof HoldfastError) return error.code
  return error instanceof ConfigError ? 'CONFIG_INVALID' : 'INTERNAL'
}

/** A `HoldfastError` has its code in its message, too. */
function wordsOf(error: unknown): string {
  return error instanceof HoldfastError ? `${error.title} ${error.detail}` : (error as Error).message
}
