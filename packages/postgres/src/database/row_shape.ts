/** A column as the server describes it. */
export interface ColumnDescription {
  name: string
  dataTypeID: number
  format: 'text' | 'binary'
}

/** How the columns of one statement become the fields of a row. */
export class RowShape {
  readonly #names: readonly string[]
  readonly #parsers: readonly ((text: string) => unknown)[]
  /** Copied for each row, so that all rows have one hidden class from the start. */
  readonly #template: Record<string, unknown> = {}

  constructor(
    columns: readonly ColumnDescription[],
    parserOf: (oid: number, format: 'text' | 'binary') => (text: string) => unknown,
  ) {
    this.#names = columns.map((column) => column.name)
    this.#parsers = columns.map((column) => parserOf(column.dataTypeID, column.format))
    for (const name of this.#names) this.#template[name] = null
  }

  row(values: readonly (string | null)[]): Record<string, unknown> {
    const row = { ...this.#template }
    const names = this.#names
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      if (value !== null && value !== undefined) row[names[i]!] = this.#parsers[i]!(value)
    }
    return row
  }
}
