// npm run bench: how fast the real thing is, against the targets of docs/bench.md.
import { readOptions } from '@holdfast/server/platform/read-options'
import { figureTable, isMet } from '../bench/figure.ts'
import { MEASUREMENTS, runBench } from '../bench/run-bench.ts'

const HELP = `npm run bench [-- OPTIONS]

Starts a world of its own in a temporary folder and measures it; docs/bench.md says what and how. A missed target is
no error: the exit code is 0 unless something broke.

  --json           one JSON object: {"figures":[{of,what,value,unit,atMost?,atLeast?,met}]}
  --only NAME      one of ${MEASUREMENTS.join(', ')}; may be repeated
  --seconds N      how long each measurement lasts, about (default 10)
  --help
`

const { values } = readOptions({
  options: {
    json: { type: 'boolean' },
    only: { type: 'string', multiple: true, default: [] },
    seconds: { type: 'string', default: '10' },
    help: { type: 'boolean', short: 'h' },
  },
})

if (values.help) console.log(HELP)
else await main(values.only, values.seconds)

async function main(only: readonly string[], seconds: string): Promise<void> {
  const unknown = only.find((name) => !MEASUREMENTS.includes(name))
  if (unknown !== undefined || !/^[1-9][0-9]{0,3}$/.test(seconds)) {
    console.error(HELP)
    process.exit(2)
  }
  const figures = await runBench({
    only: only.length > 0 ? only : MEASUREMENTS,
    seconds: Number(seconds),
    progress: (line) => console.error(line),
  })
  const withVerdict = figures.map((figure) => ({ ...figure, met: isMet(figure) }))
  console.log(values.json ? JSON.stringify({ figures: withVerdict }) : `\n${figureTable(figures)}`)
}
