import type { HoldfastClient, Zone } from '@holdfast/client'
import { type Command, EXIT, UsageError } from '../command.ts'
import { answered, connect, SERVER_HELP, SERVER_OPTIONS } from '../server/connection.ts'
import { readArguments, take } from '../server/read-arguments.ts'

const HELP = `usage: holdfast zone status [domain] [options]
       holdfast zone sign|unsign|roll <domain> [options]

Shows where the zones of a server stand with DNSSEC, and takes one into it, out of it, or replaces
its key. Each is a plan of several steps with waits of hours; the server goes on by itself, and
status tells what it waits for. sign, unsign and roll need a key of HOLDFAST_OPERATORS.

${SERVER_HELP}

exit code: 0 done, 1 the server declines, 2 the arguments cannot be used, 3 no answer`

export const zoneCommand: Command = {
  name: 'zone',
  summary: "Where the server's zones stand with DNSSEC; sign, unsign, roll.",
  help: HELP,
  async run(args, terminal) {
    const { values, positionals } = readArguments(args, SERVER_OPTIONS)
    const [action, ...words] = positionals
    const ask = asked(action, words)
    const client = await connect(values)
    return answered(terminal, async () => {
      const zones = await ask(client)
      terminal.out(values.json ? JSON.stringify(zones, null, 2) : zones.map(zoneText).join('\n\n'))
      return EXIT.ok
    })
  },
}

type Ask = (client: HoldfastClient) => Promise<readonly Zone[]>

function asked(action: string | undefined, words: readonly string[]): Ask {
  switch (action) {
    case 'status': {
      if (words.length === 0) return (client) => client.listZones()
      const [domain = ''] = take(words, '<domain>')
      return async (client) => [await client.getZone(domain)]
    }
    case 'sign':
    case 'unsign':
    case 'roll': {
      const [domain = ''] = take(words, '<domain>')
      return async (client) => [await client.changeZone(domain, action)]
    }
    default:
      throw new UsageError('what? status, sign, unsign or roll')
  }
}

function zoneText({ domain, phase, since, waitsUntil, ds, problem, todo }: Zone): string {
  const lines = [`${domain}  ${phase} since ${since}`]
  if (waitsUntil !== null) lines.push(`  waits until ${waitsUntil}: what resolvers remember must run out`)
  if (problem) lines.push(`  ! ${problem.code}: ${problem.text}`)
  if (todo) lines.push(`  to do: ${todo.text}`, ...todo.records.map((record) => `    ${record}`))
  else lines.push(...ds.map((record) => `  DS ${record}`))
  return lines.join('\n')
}
