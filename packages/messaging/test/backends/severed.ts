import type { JobsBackend } from '@tailwater/jobs'

/** A store whose connection can be cut for good: nothing more reaches it, as of a process that died. */
export function severable(store: JobsBackend): { store: JobsBackend; sever(): void } {
  let isCut = false
  const cuttable = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name, receiver) {
        const member: unknown = Reflect.get(target, name, receiver)
        if (typeof member !== 'function') return member
        return (...given: unknown[]) =>
          isCut ? Promise.reject(new Error('the process is dead')) : Reflect.apply(member, target, given)
      },
    })
  return {
    store: {
      ...store,
      jobs: cuttable(store.jobs),
      work: cuttable(store.work),
      inspect: cuttable(store.inspect),
      maintain: cuttable(store.maintain),
    },
    sever() {
      isCut = true
    },
  }
}
