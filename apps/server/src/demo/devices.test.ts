import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDevices } from './devices.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-devices-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('without a devnet there are no devices', async () => {
  await expect(openDevices(folder)).rejects.toMatchObject({ code: 'DEVNET_NOT_FOUND' })
})

test('devices that are gone with their server say so', async () => {
  writeFileSync(join(folder, 'devices.json'), JSON.stringify({ url: 'http://127.0.0.1:9', token: 'x' }))
  await expect(openDevices(folder)).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    message: 'The device does not answer. It runs while the server does.',
  })
})
