import { type Config, readConfig } from './platform/config.ts'
import { makeLog } from './platform/log.ts'
import { makeShutdown } from './platform/shutdown.ts'
import { readyTable } from './ready-table.ts'
import { explainStartFailure } from './start-failure.ts'
import { startHoldfast } from './start-holdfast.ts'

/** For everything, a start that still runs included. */
const END_WITHIN_MS = 60_000

/** Where a start tells what a person must know. */
export type Terminal = { say(text: string): void; complain(text: unknown): void }

/**
 * Starts Holdfast as `env` says, and ends it on a signal, also one that comes during the start. Answers whether it
 * runs; when it does not, why was said, and everything that had come up is ended.
 */
export async function runHoldfast(env: NodeJS.ProcessEnv, terminal: Terminal): Promise<boolean> {
  let config: Config | null = null
  try {
    config = readConfig(env)
    await run(config, terminal)
    return true
  } catch (error) {
    terminal.complain(explainStartFailure(error, config) ?? error)
    return false
  }
}

async function run(config: Config, terminal: Terminal): Promise<void> {
  const log = makeLog({ level: config.logLevel })
  const parts = makeShutdown({ log })
  const started = startHoldfast(config, log, parts)
  const shutdown = makeShutdown({ log, deadlineMs: END_WITHIN_MS })
  shutdown.add('Holdfast', async () => {
    await started.catch(() => undefined)
    if (!(await parts.run('all of it'))) throw new Error('Not every part ended well.')
  })
  shutdown.onSignals()
  try {
    terminal.say(readyTable(await started))
  } catch (error) {
    await parts.run('the start failed')
    throw error
  }
}
