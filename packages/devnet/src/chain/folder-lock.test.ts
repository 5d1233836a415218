import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { FolderInUse, lockFolder } from './folder-lock.ts'

describe.each([true, false])('a lock by a socket that is abstract: %s', (hasAbstractSockets) => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-lock-'))

  test('is had by one at a time', async () => {
    const unlock = await lockFolder(folder, { hasAbstractSockets })
    await expect(lockFolder(folder, { hasAbstractSockets })).rejects.toThrow(FolderInUse)
    await unlock()
    const unlockAgain = await lockFolder(folder, { hasAbstractSockets })
    await unlockAgain()
  })

  test('ends with the process that held it, killed or not', async () => {
    const script = `
      const { lockFolder } = await import(${JSON.stringify(new URL('./folder-lock.ts', import.meta.url).href)})
      await lockFolder(${JSON.stringify(folder)}, { hasAbstractSockets: ${hasAbstractSockets} })
      console.log('locked')
      setInterval(() => undefined, 1000)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout!, 'data')
    await expect(lockFolder(folder, { hasAbstractSockets })).rejects.toThrow(FolderInUse)
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
    const unlock = await lockFolder(folder, { hasAbstractSockets })
    await unlock()
    rmSync(folder, { recursive: true })
  })
})
