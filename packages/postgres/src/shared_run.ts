/**
 * Makes a function whose runs don't overlap, and whose callers each get the result of a run that began after they called: those who call while one is
 * under way share the next.
 */
export function sharedRun<T>(body: () => Promise<T>): () => Promise<T> {
  let current: Promise<unknown> | undefined
  let next: Promise<T> | undefined

  function begin(): Promise<T> {
    const own = body()
    const settled = own.then(
      () => undefined,
      () => undefined,
    )
    current = settled
    void settled.then(() => {
      if (current === settled) current = undefined
    })
    return own
  }

  return () => {
    if (!current) return begin()
    next ??= current.then(() => {
      next = undefined
      return begin()
    })
    return next
  }
}
