// npm run demo: plays the story against the running server, or against one that it starts for itself.
import { parseArgs } from 'node:util'
import { createHoldfastClient, HoldfastError } from '@holdfast/client'
import { ConfigError, readConfig } from '../platform/config.ts'
import { openDevices } from './devices.ts'
import { findOrStartServer } from './running-server.ts'
import { DemoError, playNameStory } from './story.ts'
import { jsonTeller, type Teller, terminalTeller } from './teller.ts'

const HELP = `npm run demo [-- OPTIONS]

Alice registers ₿alice@shop.test, Bob pays it. Uses the server that runs on the data folder (HOLDFAST_DATA_DIR), or
starts one and stops it at the end.

  --json           one JSON object a line and step; the last has "ok"
  --amount MSAT    what Bob pays, in millisatoshi (default 21000000)
  --name USER      the name's user part (default alice)
  --help
`

const { values } = parseArgs({
  options: {
    json: { type: 'boolean' },
    amount: { type: 'string', default: '21000000' },
    name: { type: 'string', default: 'alice' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) console.log(HELP)
else process.exitCode = await play(values.json ? jsonTeller() : terminalTeller())

async function play(teller: Teller): Promise<number> {
  let stop: () => Promise<void> = async () => undefined
  try {
    const config = readConfig(process.env)
    const server = await findOrStartServer(config.dataDir, teller.tell)
    stop = server.stop
    const device = await openDevices(server.devnetFolder)
    const [merchant, buyer] = [device('alice'), device('bob')]
    const signedIn = (signer: typeof merchant.signer) => createHoldfastClient({ baseUrl: server.url, signer })
    const ending = await playNameStory(
      {
        merchant: { device: merchant, client: signedIn(merchant.signer) },
        buyer: { device: buyer, client: signedIn(buyer.signer) },
        user: values.name,
        domain: config.domains[0] ?? 'shop.test',
        amountMsat: readAmount(values.amount),
      },
      teller.tell,
    )
    teller.end(ending, server)
    return 0
  } catch (error) {
    teller.fail(codeOf(error), error as Error)
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
