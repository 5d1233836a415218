// npm start: brings up the embedded world and the server, prints where everything is, and ends it all on Ctrl-C.
import { describeConfig } from './platform/config.ts'
import { readOptions } from './platform/read-options.ts'
import { runHoldfast } from './run-holdfast.ts'

const HELP = `npm start

Starts Holdfast. Without any setting it brings up everything that it needs on this machine: PostgreSQL, a regtest
chain with Lightning nodes, and a signed DNS zone. It is set by environment variables:

${describeConfig()}
`

const { values } = readOptions({ options: { help: { type: 'boolean', short: 'h' } } })
// A pipe whose reader has seen enough, such as `grep -m1 ready`, ends no server.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
if (values.help) console.log(HELP)
else if (!(await runHoldfast(process.env, { say: console.log, complain: console.error }))) process.exit(1)
