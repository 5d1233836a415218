import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceInstallError } from './run-program.ts'

/** Where this machine gets Debian's packages: the address and, if it names one, the keyring that signs them. */
export type DebianSource = { readonly uri: string; readonly signedBy: string | null }

/** Reads the machine's own apt sources below `etc`, so that the project needs to know no server. */
export function findDebianSource(etc = '/etc/apt'): DebianSource {
  const parts = join(etc, 'sources.list.d')
  const names = existsSync(parts) ? readdirSync(parts).sort() : []
  const files = [join(etc, 'sources.list'), ...names.map((name) => join(parts, name))].filter(existsSync)
  for (const file of files) {
    const text = readFileSync(file, 'utf8')
    const found = file.endsWith('.sources')
      ? fromStanzas(text)
      : file.endsWith('.list')
        ? fromLines(text)
        : null
    if (found !== null) return found
  }
  throw new ServiceInstallError(`no apt source of Debian is configured in ${etc}`)
}

/** The deb822 form: `Field: value`, stanzas apart by an empty line. */
function fromStanzas(text: string): DebianSource | null {
  for (const stanza of text.split(/\n\s*\n/)) {
    const fields = new Map<string, string>()
    for (const line of stanza.split('\n')) {
      const [, name, value] = /^([A-Za-z-]+):\s*(.*)$/.exec(line) ?? []
      if (name !== undefined && value !== undefined) fields.set(name.toLowerCase(), value.trim())
    }
    if (fields.get('enabled') === 'no' || !/\bdeb\b/.test(fields.get('types') ?? '')) continue
    const uri = fields.get('uris')?.split(/\s+/).find(isDebianArchive)
    if (uri !== undefined) return { uri, signedBy: fields.get('signed-by') || null }
  }
  return null
}

/** The older form: `deb [options] uri suite components`. */
function fromLines(text: string): DebianSource | null {
  for (const line of text.split('\n')) {
    const [, options = '', uri] = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s/.exec(line) ?? []
    if (uri === undefined || !isDebianArchive(uri)) continue
    return { uri, signedBy: /signed-by=(\S+)/.exec(options)?.[1] ?? null }
  }
  return null
}

/** The archive proper, not debian-security and not another vendor's. */
function isDebianArchive(uri: string): boolean {
  return /\/debian\/?$/.test(uri)
}
