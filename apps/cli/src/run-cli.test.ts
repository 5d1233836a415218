import { describe, expect, test } from 'vitest'
import { type Command, EXIT, UsageError } from './command.ts'
import { COMMANDS } from './commands.ts'
import { runCli } from './run-cli.ts'

const greet: Command = {
  name: 'greet',
  summary: 'Say hello.',
  help: 'usage: holdfast greet <name>',
  async run([name], terminal) {
    if (name === undefined) throw new UsageError('whom?')
    if (name === 'nobody') throw new Error('a fault')
    terminal.out(`hello ${name}`)
    return EXIT.ok
  },
}

async function run(...args: string[]) {
  const said: string[] = []
  const complained: string[] = []
  const terminal = { out: (text: string) => said.push(text), err: (text: string) => complained.push(text) }
  const code = await runCli(args, [greet, ...COMMANDS], terminal)
  return { code, out: said.join('\n'), err: complained.join('\n') }
}

describe('holdfast', () => {
  test('runs the command with the arguments after its name', async () => {
    expect(await run('greet', 'alice')).toEqual({ code: 0, out: 'hello alice', err: '' })
  })

  test.each([['--help'], ['-h'], ['help']])('%s shows every command', async (argument) => {
    const { code, out } = await run(argument)
    expect(code).toBe(0)
    for (const { name, summary } of [greet, ...COMMANDS])
      expect(out).toContain(`${name.padEnd(6)}  ${summary}`)
  })

  test('without a command it shows them as well, but has done nothing', async () => {
    const { code, out } = await run()
    expect({ code, out }).toEqual({ code: 2, out: (await run('--help')).out })
  })

  test.each([
    ['greet', '--help'],
    ['greet', 'alice', '-h'],
    ['help', 'greet'],
  ])('%s %s shows the help of the command', async (...args) => {
    expect(await run(...args)).toEqual({ code: 0, out: greet.help, err: '' })
  })

  test.each([
    [['dance'], 2, 'there is no command "dance"'],
    [['greet'], 2, 'holdfast greet: whom?'],
    [['greet', 'nobody'], 70, 'something failed on our side'],
  ])('%j ends with code %i and says why', async (args, code, reason) => {
    const ended = await run(...args)
    expect(ended).toMatchObject({ code, out: '' })
    expect(ended.err).toContain(reason)
  })
})
