import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { StartError } from '../start-error.ts'

/** Throws `StartError` when the program of HOLDFAST_ZONE_HOOK cannot be run: a zone may need it years later. */
export async function refuseUnusableHook(program: string | null): Promise<void> {
  if (program === null) return
  const reason = await whyUnusable(program)
  if (reason !== null)
    throw new StartError(
      `The program ${program} cannot be run: ${reason}. Correct the file, or name another in HOLDFAST_ZONE_HOOK.`,
    )
}

async function whyUnusable(program: string): Promise<string | null> {
  try {
    await access(program, constants.X_OK)
    return (await stat(program)).isFile() ? null : 'it is no file'
  } catch (error) {
    return (error as Error).message
  }
}
