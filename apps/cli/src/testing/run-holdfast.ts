import { COMMANDS } from '../commands.ts'
import { runCli } from '../run-cli.ts'

/** Runs the program within this process, and answers what it wrote. */
export async function runHoldfast(...args: string[]) {
  const said: string[] = []
  const complained: string[] = []
  const terminal = {
    out: (text: string) => said.push(text),
    err: (text: string) => complained.push(text),
  }
  const code = await runCli(args, COMMANDS, terminal)
  return { code, out: said.join('\n'), err: complained.join('\n') }
}
