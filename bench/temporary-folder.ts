import { chmod, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A data folder that PostgreSQL may enter under its own user, too: else its cluster would be elsewhere, and stay there. */
export async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'))
  await chmod(folder, 0o711)
  return folder
}
