/** `root`, `test`, `shop.test`: a zone's name as part of a file name. Zone names hold letters, digits, `-`, `_`. */
export function zoneFileName(apex: string): string {
  return apex === '.' ? 'root' : apex.replace(/\.$/, '')
}
