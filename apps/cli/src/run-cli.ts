import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from './command.ts'

/** Finds the command that the arguments name, and runs it. */
export async function runCli(
  args: readonly string[],
  commands: readonly Command[],
  terminal: Terminal,
): Promise<ExitCode> {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const asked = commands.find((command) => command.name === rest[0])
    terminal.out(asked && name === 'help' ? asked.help : overview(commands))
    return name === undefined ? EXIT.usage : EXIT.ok
  }
  const command = commands.find((one) => one.name === name)
  if (!command) {
    terminal.err(`holdfast: there is no command ${JSON.stringify(name)}. holdfast --help shows them all.`)
    return EXIT.usage
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.out(command.help)
    return EXIT.ok
  }
  try {
    return await command.run(rest, terminal)
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`holdfast ${name}: ${error.message}\nholdfast ${name} --help tells how it is used.`)
      return EXIT.usage
    }
    terminal.err(`holdfast ${name}: something failed on our side.\n${(error as Error).stack ?? error}`)
    return EXIT.fault
  }
}

function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'usage: holdfast <command> [options]',
    '',
    ...lines,
    '',
    'holdfast <command> --help tells more.',
  ].join('\n')
}
