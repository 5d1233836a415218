import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { UsageError } from '../command.ts'

/** `parseArgs` of Node, with its complaints as ours. @throws UsageError */
export function readArguments<Options extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options })
  } catch (error) {
    if (error instanceof TypeError) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/** Exactly these words, or a complaint that names what is missing. @throws UsageError */
export function take(words: readonly string[], ...wanted: readonly string[]): readonly string[] {
  const missing = wanted[words.length]
  if (missing !== undefined) throw new UsageError(`${missing} is missing`)
  const more = words.slice(wanted.length)
  if (more.length > 0) throw new UsageError(`${more.join(' ')} is too much`)
  return words
}
