/** A description of the schema as a docstring, with the line end behind it. */
export function describe(description: string | null | undefined): string {
  if (!description) return ''
  return `/** ${description.replace(/\s+/g, ' ').replaceAll('*/', '* /').trim()} */\n`
}

/** An object type of these members. */
export function propertiesText(members: readonly string[]): string {
  return members.length === 0 ? 'Record<string, never>' : `{\n${members.map(indent).join('\n')}\n}`
}

export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}

export function listText(item: string): string {
  return /^\w+$/.test(item) ? `readonly ${item}[]` : `readonly (${item})[]`
}
