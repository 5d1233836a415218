import { stripVTControlCharacters, styleText } from 'node:util'

/** What the paper is like on which the story is told. */
export type Look = {
  /** Characters in a line. */
  readonly columns: number
  readonly colours: boolean
}

export type Paint = (style: 'bold' | 'dim' | 'green' | 'yellow', text: string) => string

/** Longer lines are hard to read. */
const WIDEST = 100
const NARROWEST = 24

export const PLAIN: Look = { columns: 100, colours: false }

/** Colours only for a terminal that has them and wishes for them; what goes into a pipe is plain. */
export function lookOf(stream: { columns?: number; hasColors?: () => boolean }): Look {
  return { columns: stream.columns || PLAIN.columns, colours: stream.hasColors?.() ?? false }
}

export function painter({ colours }: Look): Paint {
  return (style, text) => (colours ? styleText(style, text, { validateStream: false }) : text)
}

/** `text` in lines that fit, broken at spaces: the first begins with `first`, the others with `rest`. */
export function wrap(text: string, { columns }: Look, first: string, rest: string): string {
  const width = Math.min(Math.max(columns, NARROWEST), WIDEST)
  const lines: string[] = []
  let line = first
  let isEmpty = true
  for (const word of text.split(' ')) {
    if (!isEmpty && widthOf(line) + 1 + widthOf(word) > width) {
      lines.push(line)
      line = rest
      isEmpty = true
    }
    line += isEmpty ? word : ` ${word}`
    isEmpty = false
  }
  return [...lines, line].join('\n').replaceAll('\u00a0', ' ')
}

/** A value beside its label, or below it in a narrow terminal. */
export function row(label: string, value: string, look: Look, indent: string): string {
  if (look.columns >= ROOM_FOR_ROWS) {
    return wrap(value, look, `${indent}${label.padEnd(LABEL_WIDTH)}`, indent + ' '.repeat(LABEL_WIDTH))
  }
  const below = wrap(value, look, `${indent}  `, `${indent}  `)
  return label === '' ? below : `${indent}${label}\n${below}`
}

/** Of what is there to be copied: it stays in one line, however narrow the terminal. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', '\u00a0')
}

const LABEL_WIDTH = 11
/** The longest row that is no command: indent, label, and a hash with what it is. */
const ROOM_FOR_ROWS = 95

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length
}
