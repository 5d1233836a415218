import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Ds, ZoneAction } from '@holdfast/core/zones/zone-states'

/**
 * Does to the world what the plan asks for, idempotently: it may be asked again for what was done. Answers `by-person`
 * where only a person can do it; throws when it failed or may have failed.
 */
export type ActOnZone = (request: {
  domain: string
  action: ZoneAction
  /** What the parent shall show (`publish-ds`), or whose keys shall go (`remove-key`). */
  ds: readonly Ds[]
  signal: AbortSignal
}) => Promise<'done' | 'by-person'>

/** Each does what it can; what none of them has done is for a person. */
export function inTurn(...acts: readonly ActOnZone[]): ActOnZone {
  return async (request) => {
    for (const act of acts) if ((await act(request)) === 'done') return 'done'
    return 'by-person'
  }
}

const TIMEOUT_MS = 60_000
const MAX_OUTPUT_BYTES = 64 * 1024

/**
 * Runs the operator's program as `program ACTION DOMAIN`, with one DS in presentation form (RFC 4034 §5.3) per line on
 * its standard input. Exit code 0: done; 64: this one is for a person; anything else: failed, with its last line of
 * standard error as the reason.
 */
export function makeHook(program: string): ActOnZone {
  return async ({ domain, action, ds, signal }) => {
    const running = promisify(execFile)(program, [action, domain], {
      timeout: TIMEOUT_MS,
      maxBuffer: MAX_OUTPUT_BYTES,
      signal,
    })
    running.child.stdin?.on('error', () => undefined)
    running.child.stdin?.end(ds.map((record) => `${dsText(record)}\n`).join(''))
    try {
      await running
      return 'done'
    } catch (error) {
      const { code, stderr } = error as { code?: unknown; stderr?: string }
      if (code === 64) return 'by-person'
      throw new Error(stderr?.trim().split('\n').at(-1) || (error as Error).message, { cause: error })
    }
  }
}

/** RFC 4034 §5.3: key tag, algorithm, digest type, digest. */
export function dsText({ keyTag, algorithm, digestType, digest }: Ds): string {
  return `${keyTag} ${algorithm} ${digestType} ${digest.toUpperCase()}`
}
