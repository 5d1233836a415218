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

/** A value beside its label, or below it in a narrow terminal. A value is never broken: it is there to be copied. */
export function row(label: string, value: string, { columns }: Look, indent: string): string {
  const beside = `${indent}${label.padEnd(LABEL_WIDTH)}${value}`
  const below = label === '' ? `${indent}  ${value}` : `${indent}${label}\n${indent}  ${value}`
  return (columns < ROOM_FOR_ROWS ? below : beside).replaceAll('\u00a0', ' ')
}

const LABEL_WIDTH = 11
/** The longest row that is no command: indent, label, and a hash with what it is. */
const ROOM_FOR_ROWS = 95

function widthOf(text: string): number {
  return stripVTControlCharacters(text).length
}
