// npm run demo: plays the story against the running server, or against one that it starts for itself.
import { readOptions } from '../platform/read-options.ts'
import { lookOf } from './layout.ts'
import { playDemo } from './play-demo.ts'
import { endWithReader } from './running-server.ts'
import { jsonTeller, terminalTeller } from './teller.ts'

const HELP = `npm run demo [-- OPTIONS]

Alice registers ₿alice@shop.test, Bob pays it. Then Dave buys from Carol by escrow, once for each way in which an
escrow ends: released, refunded, split, settled prematurely. Uses the server that runs on the data folder
(HOLDFAST_DATA_DIR), or starts one and stops it at the end.

  --json           one JSON object a line and step; the last has "ok" and "escrows"
  --amount MSAT    what Bob pays, in millisatoshi (default 21000000)
  --name USER      the name's user part (default alice)
  --help
`

const { values } = readOptions({
  options: {
    json: { type: 'boolean' },
    amount: { type: 'string', default: '21000000' },
    name: { type: 'string', default: 'alice' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) console.log(HELP)
else {
  endWithReader(process.stdout)
  const out = (line: string) => process.stdout.write(`${line}\n`)
  const complain = (line: string) => process.stderr.write(`${line}\n`)
  const teller = values.json ? jsonTeller(out) : terminalTeller(out, complain, lookOf(process.stdout))
  process.exitCode = await playDemo(
    { env: process.env, user: values.name, amountMsat: values.amount },
    teller,
  )
}
