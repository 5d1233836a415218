import type { StartLink } from '../host-link.ts'
import type { ToHost } from '../protocol.ts'
import { HostCore } from '../worker/host-core.ts'

/** The host on the calling thread, so that a test's coverage sees it. A panic cannot be survived here. */
export const startInProcess: StartLink = (settings, heard, ended) => {
  let core: HostCore | null = null
  HostCore.start(settings, (message) => queueMicrotask(() => heard(structuredClone(message)))).then(
    (started) => {
      core = started
    },
    (cause) => ended(String(cause)),
  )
  return {
    send: (message) => {
      const sent = structuredClone(message) as ToHost
      setImmediate(() => core?.receive(sent))
    },
    terminate: async () => {
      core = null
    },
  }
}
