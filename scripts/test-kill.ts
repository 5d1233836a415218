// npm run test:kill: kills servers, nodes and workers with SIGKILL and looks whether anything was lost or done twice.
import { readOptions } from '@holdfast/server/platform/read-options'
import { runVitest } from './test.ts'

const HELP = `npm run test:kill [-- OPTIONS] [FILE ...]

Runs every *.kill.test.ts, or those whose path contains one of FILE. The last line is "N passed, N failed".

  --kills N    how often each of them kills; half of it while time passes, a third of zones (default 200; of escrows
               300; while time passes 320, each step four times)
  --seed S     chooses what is killed when; the same seed makes the same choices (default 1)
  --only N-M   of the e2e kills with this seed, only those with these numbers: what a failure says
  --help
`

const { values, positionals } = readOptions({
  allowPositionals: true,
  options: {
    kills: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    help: { type: 'boolean', short: 'h' },
  },
})

const kills = values.kills ?? '200'
const escrowKills = values.kills ?? '300'
const waitingKills = values.kills ?? '640'
const isRange = (text: string) => {
  const [, from, to] = /^([0-9]{1,9})-([0-9]{1,9})$/.exec(text) ?? []
  return Number(from) > 0 && Number(from) <= Number(to)
}
const isWhole = (text: string) => /^[0-9]{1,9}$/.test(text)

if (values.help) console.log(HELP)
else if (!isWhole(kills) || Number(kills) === 0 || !isWhole(values.seed)) {
  console.error('--kills must be a whole number from 1, --seed one from 0.')
  process.exitCode = 1
} else if (values.only !== '' && !isRange(values.only)) {
  console.error('--only is two numbers from 1, such as 161-180.')
  process.exitCode = 1
} else {
  console.log(`${values.only ? `kills ${values.only}` : `${kills} kills`}, seed ${values.seed}`)
  runVitest(['--config', 'scripts/kill/vitest.config.mjs', ...positionals], {
    HOLDFAST_TEST_KILLS: kills,
    HOLDFAST_TEST_ESCROW_KILLS: escrowKills,
    HOLDFAST_TEST_WAITING_KILLS: waitingKills,
    HOLDFAST_TEST_SEED: values.seed,
    HOLDFAST_TEST_ONLY: values.only,
  })
}
