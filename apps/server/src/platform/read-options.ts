import { type ParseArgsConfig, parseArgs } from 'node:util'

/**
 * `parseArgs` of what a person has written behind a program's name. Of what cannot be read they are told in one line, and
 * the program ends with exit code 2.
 */
export function readOptions<const T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    const [, said] = /^(.+?)(?:\. |\.?$)/m.exec(error instanceof TypeError ? error.message : '') ?? []
    if (said === undefined) throw error
    console.error(`${said}. --help shows what there is.`)
    process.exit(2)
  }
}
