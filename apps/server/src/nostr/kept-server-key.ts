import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Secret } from '../platform/secret.ts'
import { StartError } from '../start-error.ts'
import { readSecretKey } from './secret-key.ts'

const FILE = 'nostr.key'

/**
 * The server's own Nostr key in hex, made once and kept in the data folder. It holds no money and stands for no user.
 */
export async function keptServerKey(dataDir: string): Promise<Secret<string>> {
  const file = join(dataDir, FILE)
  try {
    await writeFile(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  const key = readSecretKey((await readFile(file, 'utf8')).trim())
  if (key === null)
    throw new StartError(`${file} holds no Nostr key. Restore it, or delete it: then another is made.`)
  return new Secret(key)
}
