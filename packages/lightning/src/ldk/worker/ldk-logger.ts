import { Level, Logger } from 'lightningdevkit'
import type { Log } from '../types.ts'
import type { Guard } from './guard.ts'

/**
 * Only LDK's warnings and errors: below them it may print message contents. One step milder than LDK says: a payment
 * without a route is an error to it.
 */
export function makeLdkLogger(log: Log, guard: Guard): Logger {
  return Logger.new_impl({
    log: guard.wrap(
      (record) => {
        const level = record.get_level()
        if (level < Level.LDKLevel_Warn) return
        const data = { module: record.get_module_path(), line: record.get_line() }
        const message = `LDK: ${record.get_args()}`
        if (level === Level.LDKLevel_Warn) log.info(message, data)
        else log.warn(message, data)
      },
      () => undefined,
    ),
  })
}
