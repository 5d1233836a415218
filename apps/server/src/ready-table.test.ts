import { expect, test } from 'vitest'
import { readyTable } from './ready-table.ts'

const READY = { url: 'http://127.0.0.1:3141', dataDir: '/data', seconds: 4.321 }

test('names only what there is', () => {
  expect(readyTable({ ...READY, dns: null, databaseElsewhere: null })).toBe(
    '\n  Holdfast is ready (4.3 s)\n\n' +
      '  Web       http://127.0.0.1:3141\n' +
      '  API docs  http://127.0.0.1:3141/docs\n' +
      '  Data      /data\n\n',
  )
})

test('says where a database is that is not in the data folder', () => {
  const dns = { host: '127.0.0.1', port: 5354, anchorFile: '/data/dns/trust-anchors.conf' }
  const text = readyTable({ ...READY, dns, databaseElsewhere: '/var/lib/holdfast/0123456789abcdef' })
  expect(text).toContain(
    '  DNS       127.0.0.1:5354 (UDP and TCP)\n  Anchor    /data/dns/trust-anchors.conf\n',
  )
  expect(text).toContain('  Database  /var/lib/holdfast/0123456789abcdef, as ')
  expect(text).toContain('npm run demo')
})
