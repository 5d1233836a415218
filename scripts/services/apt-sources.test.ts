import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findDebianSource } from './apt-sources.ts'
import { ServiceInstallError } from './run-program.ts'

let etc: string
beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'holdfast-apt-'))
  mkdirSync(join(etc, 'sources.list.d'))
})
afterEach(() => rmSync(etc, { recursive: true }))

const STANZAS = `Types: deb
# a comment
URIs: https://mirror.test/debian-security
Suites: stable-security

Types: deb
URIs: https://mirror.test/debian
Suites: stable
Signed-By: /some/keyring.gpg
`

describe("the machine's own source of Debian packages", () => {
  test('is found in the newer form, past other archives', () => {
    writeFileSync(join(etc, 'sources.list.d', 'debian.sources'), STANZAS)
    expect(findDebianSource(etc)).toEqual({
      uri: 'https://mirror.test/debian',
      signedBy: '/some/keyring.gpg',
    })
  })

  test('is found in the older form, with and without options', () => {
    writeFileSync(join(etc, 'sources.list'), '# nothing\ndeb http://other.test/tools stable main\n')
    writeFileSync(
      join(etc, 'sources.list.d', 'a.list'),
      'deb-src http://mirror.test/debian stable main\ndeb [arch=amd64 signed-by=/k.gpg] http://mirror.test/debian/ stable main\n',
    )
    expect(findDebianSource(etc)).toEqual({ uri: 'http://mirror.test/debian/', signedBy: '/k.gpg' })
    writeFileSync(join(etc, 'sources.list'), 'deb http://first.test/debian stable main\n')
    expect(findDebianSource(etc)).toEqual({ uri: 'http://first.test/debian', signedBy: null })
  })

  test('is not one that is switched off, and its absence is said', () => {
    writeFileSync(
      join(etc, 'sources.list.d', 'off.sources'),
      STANZAS.replaceAll('Types: deb', 'Enabled: no\nTypes: deb'),
    )
    writeFileSync(join(etc, 'sources.list.d', 'notes.txt'), 'deb http://mirror.test/debian stable main\n')
    expect(() => findDebianSource(etc)).toThrow(ServiceInstallError)
  })
})
