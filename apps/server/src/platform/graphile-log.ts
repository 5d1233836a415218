import { Logger } from 'graphile-worker'
import type { Log } from './log.ts'

/** graphile-worker reports each finished job as `info` and each failed attempt as `error`; both are our `debug`. */
export function graphileLog(log: Log): Logger {
  return new Logger(() => (level, message, meta) => {
    if (level === 'warning') log.warn(message)
    else if (level === 'error' && !meta?.failure) log.warn({ err: meta?.error }, message)
    else log.debug(message)
  })
}
