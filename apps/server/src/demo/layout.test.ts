import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lookOf, painter, row, unbroken, wrap } from './layout.ts'

const look = (columns: number, colours = false) => ({ columns, colours })

describe('text', () => {
  test('is broken at spaces, and hangs below its beginning', () => {
    expect(wrap('Dave pays and Carol is glad of it', look(24), '  · ', '    ')).toBe(
      '  · Dave pays and Carol\n    is glad of it',
    )
  })

  test('is not broken within an amount, nor longer than can be read', () => {
    expect(wrap('it costs 4 989 887 sat', look(24), '', '')).toBe('it costs 4 989 887 sat')
    expect(wrap('it costs much: 4\u00a0989\u00a0887\u00a0sat', look(24), '', '')).toBe(
      'it costs much:\n4 989 887 sat',
    )
    const lines = wrap('word '.repeat(100).trim(), look(400), '', '').split('\n')
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100)
  })

  test('of any words in any width loses none of them, and only a word that is too long sticks out', () => {
    const word = fc.stringMatching(/^[a-z]{1,40}$/)
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), fc.integer({ min: 1, max: 200 }), (words, columns) => {
        const lines = wrap(words.join(' '), look(columns), '· ', '  ').split('\n')
        expect(lines.join(' ').slice(2).split(/ +/)).toEqual(words)
        const width = Math.min(Math.max(columns, 24), 100)
        for (const line of lines) expect(line.length <= width || !line.slice(2).includes(' ')).toBe(true)
      }),
    )
  })

  test('is as long with colours as without', () => {
    const paint = painter(look(24, true))
    const painted = wrap(`Dave pays ${paint('green', 'and Carol')} is glad`, look(24), '  ', '  ')
    expect(painted).not.toBe(stripVTControlCharacters(painted))
    expect(stripVTControlCharacters(painted)).toBe(wrap('Dave pays and Carol is glad', look(24), '  ', '  '))
  })
})

test.each([
  [100, 'Lock', '    Lock       abcdef'],
  [40, 'Lock', '    Lock\n      abcdef'],
  [40, '', '      abcdef'],
])('in %i columns the row %j is %j', (columns, label, expected) => {
  expect(row(label, 'abcdef', look(columns), '    ')).toBe(expected)
})

test('what is to be copied is never broken', () => {
  const command = 'dig @127.0.0.1 -p 5354 +dnssec TXT alice'
  expect(row('Record', unbroken(command), look(30), '')).toBe(`Record\n  ${command}`)
  expect(row('Record', command, look(30), '')).toBe('Record\n  dig @127.0.0.1 -p 5354\n  +dnssec TXT alice')
})

test.each([
  ['a pipe', {}, { columns: 100, colours: false }],
  ['a terminal', { columns: 60, hasColors: () => true }, { columns: 60, colours: true }],
  ['one without colours', { columns: 60, hasColors: () => false }, { columns: 60, colours: false }],
  [
    'one that does not say how wide it is',
    { columns: 0, hasColors: () => true },
    { columns: 100, colours: true },
  ],
])('%s is written to as it can be read there', (_, stream, expected) => {
  expect(lookOf(stream)).toEqual(expected)
  expect(painter(lookOf(stream))('bold', 'x') === 'x').toBe(!expected.colours)
})
