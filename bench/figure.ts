/** One line of the report. Times are milliseconds, ratios plain numbers, memory MB of 10⁶ bytes. */
export type Figure = {
  /** Which measurement it is of: what `--only` takes. */
  readonly of: string
  readonly what: string
  readonly value: number
  readonly unit: 'ms' | 's' | '×' | 'MB' | '/s' | '%'
  /** The most that the design allows; absent for figures that only explain another one. */
  readonly atMost?: number
  /** The least that the design demands; no figure has both. */
  readonly atLeast?: number
}

/** Null when the design sets no target. */
export function isMet({ value, atMost, atLeast }: Figure): boolean | null {
  if (atLeast !== undefined) return value >= atLeast
  return atMost === undefined ? null : value <= atMost
}

/** The figures as an aligned table. */
export function figureTable(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => [
    figure.of,
    figure.what,
    shown(figure.value, figure.unit),
    target(figure),
    verdict(figure),
  ])
  const all = [['of', 'figure', 'measured', 'target', ''], ...rows]
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)))
  const rightAligned = new Set([2, 3])
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          rightAligned.has(column) ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function target({ atMost, atLeast, unit }: Figure): string {
  if (atLeast !== undefined) return `≥ ${shown(atLeast, unit)}`
  return atMost === undefined ? '' : `≤ ${shown(atMost, unit)}`
}

function verdict(figure: Figure): string {
  const met = isMet(figure)
  if (met === null) return ''
  return met ? 'ok' : 'missed'
}

function shown(value: number, unit: Figure['unit']): string {
  return `${value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
}
