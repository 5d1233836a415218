import { Level, Logger } from 'lightningdevkit'
import type { Log } from '../types.ts'

/** Only LDK's warnings and errors: below them it may print message contents. */
export function makeLdkLogger(log: Log): Logger {
  return Logger.new_impl({
    log(record) {
      const level = record.get_level()
      if (level < Level.LDKLevel_Warn) return
      const data = { module: record.get_module_path(), line: record.get_line() }
      if (level === Level.LDKLevel_Warn) log.warn(record.get_args(), data)
      else log.error(record.get_args(), data)
    },
  })
}
