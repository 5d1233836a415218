import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MIGRATIONS, Store } from './store.ts'

describe('Store', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'holdfast-store-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const peers = (store: Store) =>
    store.all<{ node_id: string }>('SELECT node_id FROM peers').map((row) => row.node_id)

  test('keeps what was committed, and nothing of a turn that was not', () => {
    const store = new Store(folder)
    store.run("INSERT INTO peers VALUES ('a', 'h', 1)")
    expect(store.dirty).toBe(true)
    store.commit()
    store.commit()
    store.run("INSERT INTO peers VALUES ('b', 'h', 1)")
    expect(peers(store)).toEqual(['a', 'b'])
    store.close()
    const again = new Store(folder)
    expect(peers(again)).toEqual(['a'])
    again.close()
  })

  test('a commit is in the log, which reaches the disk; also when the file is closed meanwhile', async () => {
    const store = new Store(folder)
    expect(store.commit()).toBe(false)
    store.run("INSERT INTO peers VALUES ('said-in-this-turn', 'h', 1)")
    const isLogged = () => readFileSync(join(folder, 'node.sqlite-wal')).includes('said-in-this-turn')
    expect(isLogged()).toBe(false)
    expect(store.commit()).toBe(true)
    expect(isLogged()).toBe(true)
    await store.sync()
    store.syncNow()
    const synced = store.sync()
    store.close()
    await synced
    const again = new Store(folder)
    expect(peers(again)).toEqual(['said-in-this-turn'])
    again.close()
  })

  test('another process is refused while the file is open, also before anything was written', () => {
    const store = new Store(folder)
    const module = fileURLToPath(new URL('./store.ts', import.meta.url))
    const script = `const { Store } = await import(process.argv[1]); try { new Store(process.argv[2]); console.log('opened') } catch (e) { console.log(e.code) }`
    const open = () =>
      spawnSync(process.execPath, ['--input-type=module', '-e', script, module, folder], { encoding: 'utf8' })
    expect(open().stdout.trim()).toBe('conflict')
    store.close()
    expect(open().stdout.trim()).toBe('opened')
  })

  test('a file of the first schema is brought forward, and what was received is remembered once', () => {
    const database = new DatabaseSync(join(folder, 'node.sqlite'))
    database.exec(`${MIGRATIONS[0]}; PRAGMA user_version = 1`)
    for (const at of [1, 2])
      database.exec(
        `INSERT INTO node_events (at, kind, data) VALUES (${at}, 'payment-received', '{"paymentHash":"aa","amountMsat":"5n"}')`,
      )
    database.close()
    const store = new Store(folder)
    expect(store.all('SELECT * FROM receipts').map((row) => ({ ...(row as object) }))).toEqual([
      { payment_hash: 'aa', at: 1 },
    ])
    store.close()
  })

  test('a claim that was on its way to the chain goes on, and no other hold is claimed', () => {
    const database = new DatabaseSync(join(folder, 'node.sqlite'))
    const before = MIGRATIONS.findIndex((migration) => migration.includes('CREATE TABLE claims'))
    database.exec(`${MIGRATIONS.slice(0, before).join('')}; PRAGMA user_version = ${before}`)
    const hold = (hash: string, state: string, onChain: string | null, wonHeight: number | null) =>
      database
        .prepare("INSERT INTO holds VALUES (?, 'lnbcrt', '5', '{}', ?, '5', 90, ?, ?)")
        .run(hash, state, onChain, wonHeight)
    hold('aa', 'settling', '["5"]', 70)
    hold('bb', 'settling', null, null)
    hold('cc', 'settled', '["5"]', 60)
    hold('dd', 'held', null, null)
    database.close()
    const store = new Store(folder)
    expect(store.all('SELECT payment_hash, state, claim_deadline FROM holds')).toHaveLength(4)
    const [claim, ...others] = store.all<{ payment_hash: string; claim: string }>('SELECT * FROM claims')
    expect(others).toEqual([])
    expect(claim?.payment_hash).toBe('aa')
    const expected = { channels: [''], onChain: 0, takenAt: [], decidedAt: 70 }
    expect(JSON.parse(claim?.claim ?? '')).toEqual(expected)
    store.close()
  })

  test('a file of a newer schema is refused and left as it is', () => {
    const database = new DatabaseSync(join(folder, 'node.sqlite'))
    database.exec('PRAGMA user_version = 99')
    database.close()
    expect(() => new Store(folder)).toThrow('newer version')
  })
})
