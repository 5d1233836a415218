import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDataFolder } from '@holdfast/server/platform/data-folder-lock'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let parent: string
let folder: string
beforeEach(async () => {
  parent = mkdtempSync(join(tmpdir(), 'holdfast-reset-'))
  folder = join(parent, 'data')
})
afterEach(() => rmSync(parent, { recursive: true }))

async function makeDataFolder() {
  const lock = await lockDataFolder(folder)
  mkdirSync(join(folder, 'dns'))
  return lock
}

function reset(options: readonly string[], input = '') {
  const script = join(import.meta.dirname, 'reset.ts')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, ...options],
    { encoding: 'utf8', input, env: { ...process.env, HOLDFAST_DATA_DIR: folder } },
  )
  return { stdout, stderr, status, isThere: existsSync(folder) }
}

describe('npm run reset', () => {
  test('says that there is nothing where nothing is', () => {
    expect(reset([])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(`There is no embedded data at ${folder}.`),
    })
  })

  test.each([
    [['--bogus'], "Unknown option '--bogus'. --help shows what there is.\n"],
    [['everything'], "Unexpected argument 'everything'. --help shows what there is.\n"],
  ])('of %j it says in one line that it does not know it', (options, stderr) => {
    expect(reset(options)).toMatchObject({ status: 2, stderr, stdout: '' })
  })

  test.each([
    ['y\n', false, 'Deleted'],
    ['n\n', true, 'Nothing was deleted.'],
    ['\n', true, 'Nothing was deleted.'],
    ['', true, 'Nothing was deleted.'],
  ])('asks, and does what was answered: %j', async (answer, isThere, said) => {
    ;(await makeDataFolder()).release()
    expect(reset([], answer)).toMatchObject({ status: 0, isThere, stdout: expect.stringContaining(said) })
  })

  test('does not ask with --yes', async () => {
    ;(await makeDataFolder()).release()
    expect(reset(['--yes'])).toMatchObject({ status: 0, isThere: false })
  })

  test('leaves what others have in the same folder, and says so', async () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'thesis.txt'), 'x')
    ;(await makeDataFolder()).release()
    writeFileSync(join(folder, 'server.json.new'), 'half of it')
    expect(reset(['--yes'])).toMatchObject({
      status: 0,
      isThere: true,
      stdout: expect.stringContaining(
        `Deleted all embedded data in ${folder}. What else is there was left: thesis.txt.`,
      ),
    })
    expect(readdirSync(folder)).toEqual(['thesis.txt'])
  })

  test('leaves a folder alone that is not ours, or that a server uses', async () => {
    mkdirSync(folder)
    writeFileSync(join(folder, 'thesis.txt'), 'x')
    expect(reset(['--yes'])).toMatchObject({
      status: 1,
      isThere: true,
      stderr: expect.stringContaining('is not a data folder of Holdfast. Nothing was deleted.'),
    })
    const lock = await makeDataFolder()
    expect(reset(['--yes'])).toMatchObject({
      status: 1,
      isThere: true,
      stderr: expect.stringContaining(`process ${process.pid}`),
    })
    lock.release()
  })
})
