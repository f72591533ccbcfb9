import type { Database, Queryable, Transaction } from '@tailwater/postgres'

/** A statement that was really run. */
export interface RecordedStatement {
  name: string | undefined
  text: string
  values: readonly unknown[]
}

/** A database that notes every statement; the values of each text's last run are kept. */
export function recordStatements(database: Database, seen: Map<string, RecordedStatement>): Database {
  const note =
    (query: Queryable['query']): Queryable['query'] =>
    (statement, values = [], options) => {
      const { name, text } = typeof statement === 'string' ? { name: undefined, text: statement } : statement
      seen.set(text, { name, text, values })
      return query(statement, values, options)
    }
  const proxied = <T extends Queryable>(target: T): T =>
    new Proxy(target, {
      get(_, key) {
        const own = Reflect.get(target, key, target)
        if (key === 'query') return note(target.query.bind(target))
        if (key === 'reader') return proxied(own as Queryable)
        if (key === 'transaction')
          return (body: (tx: Transaction) => Promise<unknown>, options?: object) =>
            (target as unknown as Database).transaction((tx) => body(proxied(tx)), options)
        return typeof own === 'function' ? own.bind(target) : own
      },
    })
  return proxied(database)
}
